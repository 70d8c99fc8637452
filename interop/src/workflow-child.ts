// SPDX-License-Identifier: AGPL-3.0-or-later
// A workflow process that a test may kill: `workflow-child.ts ADDR INSTANCE INPUT`. Prints each run event as a line of JSON.
import { writeSync } from "node:fs";
import { runInstance } from "@runtara/sdk/worker";
import { ledger } from "./workflows.ts";

const [server, instanceId, input] = process.argv.slice(2);
if (server === undefined || instanceId === undefined || input === undefined) throw new Error("ADDR INSTANCE INPUT");

await runInstance(ledger, {
  instanceId,
  server,
  dangerouslySkipVerification: true,
  input: JSON.parse(input) as { file: string; steps: number },
  onEvent: (event) => writeSync(1, `${JSON.stringify({ type: event.type })}\n`),
});
