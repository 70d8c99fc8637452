// Two workers on one core, killed again and again, the core sometimes, too: every workflow ends, and nothing that a workflow was given ever
// changes. KILLS=100 for the long campaign.

import { join } from "node:path";
import { test } from "node:test";
import { campaign } from "../testing/kill-campaign.ts";
import { Child, startCore, temporaryFolder } from "../testing/processes.ts";

const kills = Number(process.env.KILLS ?? 20);
const leaseMs = 1_000;

test("I1, I3: workers and a core that are killed at any moment lose no workflow and change no result", async (t) => {
  const database = join(temporaryFolder(t), "core.db");
  let running = await startCore(database, 0);
  const { address, port } = running;
  const cleanUps: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
    await running.core.kill();
  });
  await campaign(
    t,
    { after: (cleanUp) => void cleanUps.push(cleanUp) },
    {
      kills,
      start: () => new Child("worker", [address, String(leaseMs)]),
      killOther: async () => {
        await running.core.kill();
        running = await startCore(database, port);
      },
    },
  );
});
