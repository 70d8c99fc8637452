// Two processes on one database, killed again and again: every workflow ends, and nothing that a workflow was given ever changes.
// KILLS=100 for the long campaign.

import { test } from "node:test";
import { campaign } from "../testing/kill-campaign.ts";
import { Child } from "../testing/processes.ts";
import { databases } from "./databases.test.helper.ts";
import { lastFirst } from "./local.test.helper.ts";

const kills = Number(process.env.KILLS ?? 10);
const leaseMs = 1_000;

for (const [engine, urlOf] of Object.entries(databases)) {
  test(`${engine}: I1, I3: processes that are killed at any moment lose no workflow and change no result`, async (t) => {
    const cleaning = lastFirst(t);
    const url = await urlOf(cleaning);
    await campaign(t, cleaning, { kills, start: () => new Child("embedded", [url, String(leaseMs)]) });
  });
}
