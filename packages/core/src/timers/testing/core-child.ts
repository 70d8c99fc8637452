import { openStore } from "@runtara/store";
import { WorkService } from "../../work/index.ts";
import { Background } from "../index.ts";

// A process that does what core does by itself on the database of its first argument, until it is killed. With "work" as the second one it is
// also a worker that ends what it claims at once.

const [url = "", role] = process.argv.slice(2);
const store = await openStore(url);
const core = new Background({ store, staleAfterMs: 0 });
core.start();
if (role === "work") claimOn(new WorkService({ store }), 0);
process.stdout.write("ready\n");

function claimOn(work: WorkService, received: number): void {
  const offers = [{ name: "w", versions: [] }];
  const request = { workerId: `w${process.pid}`, tenantId: "t", offers, capacity: 5, waitMs: 0, received };
  work.claim(core, { ...request, leaseMs: 60_000 }, (error, response) => {
    if (error !== undefined) throw error;
    const nowMs = Date.now();
    for (const { instanceId, facts } of response.work) {
      const end = { instanceId, epoch: facts.epoch, type: "completed", createdAtMs: nowMs, nowMs } as const;
      store.submit({ kind: "appendEvent", ...end }, (failure, _) => {
        if (failure !== undefined) throw failure;
      });
    }
    claimOn(work, response.sequence);
  });
}
