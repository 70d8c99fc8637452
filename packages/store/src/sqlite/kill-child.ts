/** Saves checkpoints as fast as it can and prints the number of each one that was acknowledged, until it is killed. */
import { writeSync } from "node:fs";
import { openStore } from "@runtara/store";

const [path = "", instanceId = ""] = process.argv.slice(2);
const store = await openStore(path);
await store.run({
  kind: "registerInstance",
  instanceId,
  tenantId: "t",
  allowedIn: ["pending", "running", "suspended"],
  nowMs: Date.now(),
});

function burst(first: number): void {
  let acknowledged = "";
  for (let n = first; n < first + 50; n += 1) {
    const state = new TextEncoder().encode(`state ${n}`);
    store.submit(
      {
        kind: "saveCheckpoint",
        instanceId,
        checkpointId: `step ${n}`,
        state,
        allowedIn: ["running"],
        nowMs: Date.now(),
      },
      (error, result) => {
        if (error !== undefined) throw error;
        if (result.outcome === "saved") acknowledged += `${n}\n`;
      },
    );
    store.submit(
      {
        kind: "appendEvent",
        instanceId,
        type: "custom",
        subtype: String(n),
        createdAtMs: Date.now() * 1_000 + n, // Later than the started event, in the order of n.
        transitions: [],
        nowMs: Date.now(),
      },
      (error, _) => {
        if (error !== undefined) throw error;
      },
    );
  }
  store.flush();
  writeSync(1, acknowledged);
  setImmediate(burst, first + 50);
}
burst(0);
