// A worker on a core: `node steps-worker.ts HOST:PORT`. Everything as shipped; starts and results go through the same core.
import { serve } from "@runtara/sdk/worker";
import { serveRounds } from "../steps/rounds.ts";
import { work } from "../steps/workflow.ts";

const runtime = await serve([work], { server: process.argv[2] ?? "", handleSignals: false });
await serveRounds((steps) => runtime.run(work, steps));
await runtime.close();
