// DBOS on PostgreSQL: `node dbos.mjs postgres://…`, a database of its own. Steps as in its documentation: DBOS.runStep in a registered workflow.
import { DBOS } from "@dbos-inc/dbos-sdk";
import { serveRounds } from "../src/steps/rounds.ts";

const run = process.pid.toString(36) + Date.now().toString(36);
DBOS.setConfig({ name: "bench", systemDatabaseUrl: process.argv[2], logLevel: "error", runAdminServer: false });
const work = DBOS.registerWorkflow(
  async (steps) => {
    let sum = 0;
    for (let i = 0; i < steps; i++) sum += await DBOS.runStep(async () => 1, { name: "add" });
    return sum;
  },
  { name: "work" },
);
await DBOS.launch();
await serveRounds(async (steps, serial) => {
  const handle = await DBOS.startWorkflow(work, { workflowID: `${run}-${serial}` })(steps);
  return handle.getResult();
});
await DBOS.shutdown();
process.exit(0);
