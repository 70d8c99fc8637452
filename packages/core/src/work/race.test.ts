import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "@runtara/store/memory";
import fc from "fast-check";
import { answered } from "../answer.ts";
import { type InstanceSignals, SignalWaiter } from "../timers/index.ts";
import { disturbedStore } from "../timers/testing/disturbed-store.ts";
import { FakeClock } from "../timers/testing/fake-clock.ts";
import { type ClaimResponse, WorkService } from "./index.ts";

// Every operation, answer and notice is held back until a scheduler lets it go, in an order that depends on the seed. No time passes, so what
// is not woken stays asleep: a lost wake-up shows as a promise that nothing resolves.

const offers = [{ name: "w", versions: [] }];

/** Services on one database: each as if it were a process of its own. */
function services(scheduler: fc.Scheduler) {
  const store = openMemoryStore();
  const clock = new FakeClock();
  const pass = () => scheduler.schedule(Promise.resolve());
  const disturbed = () => disturbedStore(store, pass, pass);
  const work = () => new WorkService({ store: disturbed(), clock });
  const waiter = () => new SignalWaiter({ store: disturbed(), clock });
  return { store, clock, disturbed, work, waiter };
}

const start = (work: WorkService) =>
  answered((answer) => work.start({ instanceId: "a", tenantId: "t", workflow: "w", tags: {} }, answer));

const claimAs = (work: WorkService, workerId: string) => {
  const request = { workerId, tenantId: "t", offers, capacity: 1, leaseMs: 300_000, waitMs: 300_000, received: 0 };
  return answered<ClaimResponse>((answer) => work.claim({}, request, answer));
};

/** Lets everything happen. What then has no result sleeps, and nothing wakes it. */
async function finished<Result>(scheduler: fc.Scheduler, promise: Promise<Result>): Promise<Result> {
  const results: Result[] = [];
  const noting = promise.then((result) => results.push(result));
  await scheduler.waitIdle();
  assert.equal(results.length, 1, "a wake-up was lost");
  await noting;
  return promise;
}

test("two claims, one instance: exactly one gets it, in whatever order things happen", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const { clock, work } = services(scheduler);
      const [left, right] = [work(), work()];
      const claims = [claimAs(left, "w1"), claimAs(right, "w2")];
      const starting = start(left);
      await finished(scheduler, Promise.all([starting, Promise.race(claims)]));
      left.drain();
      right.drain();
      await scheduler.waitIdle();
      const answers = await Promise.all(claims);
      assert.deepEqual(answers.map((answer) => answer.work.length).toSorted(), [0, 1]);
      assert.equal(answers.flatMap((answer) => answer.work)[0]?.facts.epoch, 1);
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 1_000 },
  );
});

test("no wake-up is lost between sending, waiting, suspending and claiming", async () => {
  const rest = fc.infiniteStream(fc.constantFrom("poll", "suspend"));
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), rest, fc.integer({ min: 1, max: 4 }), async (scheduler, choices, count) => {
      const { disturbed, clock, work, waiter } = services(scheduler);
      const senders = Array.from({ length: count }, (_, n) => send(n));
      const [queues, waiters] = [
        [work(), work()],
        [waiter(), waiter()],
      ];

      async function send(n: number): Promise<void> {
        const store = disturbed();
        const signal = { instanceId: "a", name: "go", payload: new Uint8Array([n]), queued: true, nowMs: clock.now() };
        let sent = await store.run({ kind: "sendCustomSignal", ...signal });
        // It may not be there yet.
        while (sent.outcome === "unknownInstance") sent = await store.run({ kind: "sendCustomSignal", ...signal });
      }

      /** A worker that takes in all signals, and between them waits or gives the instance away until something happens. */
      async function run(): Promise<number[]> {
        const store = disturbed();
        const received: number[] = [];
        let afterSignalId = 0;
        for (let life = 0; ; life += 1) {
          const claimed = await claimAs(queues[life % 2] ?? work(), `w${life}`);
          const epoch = claimed.work[0]?.facts.epoch ?? 0;
          const connection = {};
          for (let revision = 1; ; revision += 1) {
            const names = ["go"];
            let news: readonly Pick<InstanceSignals, "queued">[] = [];
            if (choices.next().value === "poll") {
              const interest = { instanceId: "a", epoch, names, afterSignalId, ended: false };
              news = await answered<readonly InstanceSignals[]>((answer) =>
                (waiters[life % 2] ?? waiter()).wait(
                  connection,
                  { revision, interests: [interest], replacesAll: false, waitMs: 0 },
                  answer,
                ),
              );
            } else {
              const until = { instanceId: "a", epoch, names, afterSignalId, bytesMax: 1_000, nowMs: clock.now() };
              const suspended = await store.run({ kind: "suspendUntil", ...until });
              if (suspended.outcome === "suspended") break;
              assert.equal(suspended.outcome, "notYet");
              news = suspended.outcome === "notYet" ? [suspended] : [];
            }
            const queued = news.flatMap((one) => one.queued);
            assert.ok(queued.length > 0, "nobody is woken for nothing");
            received.push(...queued.map(({ payload }) => payload[0] ?? -1));
            afterSignalId = queued.at(-1)?.signalId ?? afterSignalId;
            if (received.length >= count) return received;
          }
        }
      }

      const running = run();
      const starting = start(queues[0] ?? work());
      const [received] = await finished(scheduler, Promise.all([running, starting, ...senders]));
      assert.deepEqual(
        received.toSorted(),
        Array.from({ length: count }, (_, n) => n),
      );
      for (const queue of queues) queue.drain();
      for (const one of waiters) one.close();
      await scheduler.waitIdle();
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 300 },
  );
});
