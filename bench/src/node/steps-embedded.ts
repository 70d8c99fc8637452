// Embedded: `node steps-embedded.ts URL`. Everything as shipped.
import { open } from "@runtara/sdk/embedded";
import { serveRounds } from "../steps/rounds.ts";
import { work } from "../steps/workflow.ts";

const runtime = await open({ store: process.argv[2] ?? "", workflows: [work] });
await serveRounds((steps) => runtime.run(work, steps));
await runtime.close();
