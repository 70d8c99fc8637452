/** Saves checkpoints as fast as it can and prints the number of each one that was acknowledged, until it is killed. */
import { writeSync } from "node:fs";
import { openSqliteStore } from "@runtara/store/sqlite";

const [path = "", instanceId = "", host = ""] = process.argv.slice(2);
const store = await openSqliteStore(
  { engine: "sqlite", path, create: true },
  { host: host === "thread" ? "thread" : "inline" },
);
await store.run({
  kind: "registerInstance",
  instanceId,
  tenantId: "t",
  checkTenant: false,
  seed: new Uint8Array(16),
  nowMs: Date.now(),
  staleAfterMs: 0,
});

/** One turn; the next begins when everything of this one is acknowledged. */
function burst(first: number): void {
  let acknowledged = "";
  let open = 100;
  const answered = () => {
    open -= 1;
    if (open > 0) return;
    writeSync(1, acknowledged);
    setImmediate(burst, first + 50);
  };
  for (let n = first; n < first + 50; n += 1) {
    const state = new TextEncoder().encode(`state ${n}`);
    store.submit(
      {
        kind: "saveCheckpoint",
        instanceId,
        checkpointId: `step ${n}`,
        state,
        nowMs: Date.now(),
      },
      (error, result) => {
        if (error !== undefined) throw error;
        if (result.outcome === "saved") acknowledged += `${n}\n`;
        answered();
      },
    );
    store.submit(
      {
        kind: "appendEvent",
        instanceId,
        type: "custom",
        subtype: String(n),
        createdAtMs: Date.now() * 1_000 + n, // Later than the started event, in the order of n.
        nowMs: Date.now(),
      },
      (error, _) => {
        if (error !== undefined) throw error;
        answered();
      },
    );
  }
}
burst(0);
