import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type PutSchedule, type Store, StoreError } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import fc from "fast-check";
import { limits } from "../limits.ts";
import { engines } from "../testing/engines.ts";
import { countedStore } from "../timers/testing/counted-store.ts";
import { disturbedStore } from "../timers/testing/disturbed-store.ts";
import { FakeClock } from "../timers/testing/fake-clock.ts";
import { cronTimes } from "./cron-times.ts";
import { firingId } from "./firing-id.ts";
import { ScheduleService } from "./schedule-service.ts";

const minute = 60_000;
const beganMs = Date.UTC(2026, 10, 21, 10, 0, 0);

// So that no test waits for the module to be loaded: the test's clock knows nothing of that.
before(() => cronTimes("* * * * *", "UTC"));

async function next(cron: string, clock: FakeClock): Promise<number | null> {
  return (await cronTimes(cron, "UTC")).next(clock.now()) ?? null;
}

async function put(store: Store, clock: FakeClock, more: Partial<PutSchedule["schedule"]> = {}): Promise<void> {
  const cron = more.cron ?? "* * * * *";
  const schedule: PutSchedule["schedule"] = {
    tenantId: "t",
    scheduleId: "s",
    workflow: "w",
    input: null,
    cron,
    timezone: "UTC",
    overlap: "all",
    catchUp: "all",
    inactive: false,
    nextFireMs: more.nextFireMs === undefined ? await next(cron, clock) : more.nextFireMs,
    ...more,
  };
  await store.run({ kind: "putSchedule", schedule, nowMs: clock.now() });
}

/** Ids of what was started, oldest planned time first. */
async function started(store: Store): Promise<string[]> {
  const page = await store.run({ kind: "listInstances", limit: 10_000 });
  assert.ok(page.outcome === "page");
  return page.instances.map(({ instanceId }) => instanceId).sort();
}

function everyMinute(from: number, to: number, scheduleId = "s"): string[] {
  return Array.from({ length: to - from + 1 }, (_, n) => firingId(scheduleId, beganMs + (from + n) * minute));
}

async function end(store: Store, instanceId: string, nowMs: number): Promise<void> {
  const registration = { tenantId: "t", checkTenant: false, seed: new Uint8Array(16), staleAfterMs: 0, nowMs };
  await store.run({ kind: "registerInstance", instanceId, ...registration });
  await store.run({ kind: "appendEvent", instanceId, type: "completed", createdAtMs: nowMs, nowMs });
}

/** The store of a process that dies at its nth operation, before or after it takes effect: nothing is answered any more. */
function dying(store: Store, nth: number, when: "before" | "after"): Store & { readonly operations: number } {
  let count = 0;
  const never = new Promise<never>(() => {});
  return {
    ...store,
    get operations() {
      return count;
    },
    async run(operation) {
      count += 1;
      if (count > nth || (count === nth && when === "before")) return never;
      const result = await store.run(operation);
      return count >= nth ? never : result;
    },
    watch: (listener) =>
      store.watch((notice) => {
        if (count < nth) listener(notice);
      }),
  };
}

for (const engine of engines) {
  test(`${engine.name}: three processes, one dies anywhere, the clock is set back: each planned time has one instance`, async () => {
    const database = await engine.create();
    const clock = new FakeClock(beganMs + 1);
    const stores = await Promise.all(
      [database.open(), database.open(), database.open()].map(async (s) => countedStore(await s)),
    );
    const [first, second, third] = stores as [Store, Store, Store];
    const services = [dying(first, 9, "after"), second, third].map((store) => new ScheduleService({ store, clock }));
    try {
      await put(second, clock);
      await put(third, clock, { scheduleId: "other", cron: "*/2 * * * *" });
      for (const service of services) service.start();
      await clock.pass(4 * minute);
      clock.set(clock.now() - 2 * minute);
      await clock.pass(5 * minute);
      // A process whose answer was lost holds a lease; it is over by now.
      await clock.pass(limits.scheduleLeaseMs);
      const twoMinutes = everyMinute(1, 7, "other").filter((_, n) => n % 2 === 1);
      assert.deepEqual(await started(second), [...twoMinutes, ...everyMinute(1, 7)].sort());
    } finally {
      await Promise.all(services.slice(1).map((service) => service.stop()));
      for (const store of stores) await store.close();
      await database.dispose();
    }
  });
}

test("a crash at any operation, before or after it: the next process goes on with the same ids", async () => {
  for (const when of ["before", "after"] as const) {
    for (let nth = 1; ; nth += 1) {
      const clock = new FakeClock(beganMs + 1);
      const store = openMemoryStore();
      await put(store, clock, { overlap: "skip", catchUp: "last" });
      const broken = dying(countedStore(store), nth, when);
      new ScheduleService({ store: broken, clock }).start();
      await clock.pass(minute);
      const later = new ScheduleService({ store: countedStore(store), clock });
      later.start();
      await clock.pass(limits.scheduleLeaseMs + 1);
      assert.deepEqual(await started(store), everyMinute(1, 1), `${when} operation ${nth}`);
      await end(store, everyMinute(1, 1)[0] ?? "", clock.now());
      await clock.pass(minute);
      assert.deepEqual(await started(store), everyMinute(1, 2), `${when} operation ${nth}`);
      await later.stop();
      if (broken.operations < nth) break;
    }
  }
});

test("on one database nothing is lost or doubled, whatever number of processes come and go", async () => {
  const lives = fc.array(fc.tuple(fc.nat(20 * minute), fc.nat(20 * minute)), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(lives, async (spans) => {
      const clock = new FakeClock(beganMs + 1);
      const store = openMemoryStore();
      await put(store, clock);
      for (const [fromMs, forMs] of spans) {
        const service = new ScheduleService({ store: countedStore(store), clock });
        clock.after(fromMs, () => service.start());
        clock.after(fromMs + forMs + 1, () => void service.stop());
      }
      await clock.pass(45 * minute);
      const last = new ScheduleService({ store: countedStore(store), clock });
      last.start();
      await clock.pass(0);
      assert.deepEqual(await started(store), everyMinute(1, 45));
      await last.stop();
    }),
    { numRuns: 20 },
  );
});

function useService() {
  const clock = new FakeClock(beganMs + 1);
  const store = openMemoryStore();
  return { clock, store, service: new ScheduleService({ store: countedStore(store), clock }) };
}

test("skip: a time at which the last one still runs has no instance", async () => {
  const { clock, store, service } = useService();
  await put(store, clock, { overlap: "skip", catchUp: "none" });
  service.start();
  await clock.pass(3 * minute);
  assert.deepEqual(await started(store), everyMinute(1, 1));
  await end(store, everyMinute(1, 1)[0] ?? "", clock.now());
  await clock.pass(minute);
  assert.deepEqual(await started(store), [...everyMinute(1, 1), ...everyMinute(4, 4)]);
  await service.stop();
});

test("queue: one after another, and none is lost, however long the last one runs and although catch-up is none", async () => {
  const { clock, store, service } = useService();
  await put(store, clock, { overlap: "queue", catchUp: "none" });
  service.start();
  await clock.pass(30 * minute);
  assert.deepEqual(await started(store), everyMinute(1, 1));
  for (let n = 1; n <= 35; n += 1) {
    await end(store, firingId("s", beganMs + n * minute), clock.now());
    await clock.pass(limits.scheduleLookMsMax);
    assert.deepEqual((await started(store)).slice(0, n + 1), everyMinute(1, n + 1));
  }
  await service.stop();
});

test("all: every minute, whatever runs; the input and the tenant are the schedule's", async () => {
  const { clock, store, service } = useService();
  await put(store, clock, { input: Buffer.from("input") });
  service.start();
  await clock.pass(3 * minute);
  assert.deepEqual(await started(store), everyMinute(1, 3));
  const read = await store.run({ kind: "readInstance", instanceId: everyMinute(1, 1)[0] ?? "", withStart: true });
  assert.ok(read.outcome === "found");
  const { instance } = read;
  assert.deepEqual(
    [instance.tenantId, instance.workflow, instance.version, instance.status],
    ["t", "w", null, "pending"],
  );
  assert.equal(Buffer.from(instance.start?.input ?? []).toString(), "input");
  await service.stop();
});

test("a long outage: rounds of a bound each until all is caught up", async () => {
  const { clock, store, service } = useService();
  await put(store, clock);
  const minutes = 2 * limits.scheduleStartsMax + 7;
  await clock.pass(minutes * minute);
  service.start();
  await clock.pass(0);
  assert.equal((await started(store)).length, limits.scheduleStartsMax);
  await clock.pass(3 * limits.dueGapMs);
  assert.deepEqual(await started(store), everyMinute(1, minutes));
  await service.stop();
});

test("put, replaced and deleted while it runs: what counts is what is stored when the time comes", async () => {
  const { clock, store, service } = useService();
  service.start();
  await clock.pass(minute);
  await put(store, clock, { cron: "*/5 * * * *" });
  await put(store, clock, { cron: "*/2 * * * *" });
  await clock.pass(3 * minute);
  await put(store, clock, { cron: "*/2 * * * *", inactive: true, nextFireMs: null });
  await clock.pass(3 * minute);
  await put(store, clock, { cron: "*/2 * * * *" });
  await clock.pass(2 * minute);
  await store.run({ kind: "deleteSchedule", tenantId: "t", scheduleId: "s" });
  await clock.pass(10 * minute);
  assert.deepEqual(
    await started(store),
    [2, 4, 8].map((n) => firingId("s", beganMs + n * minute)),
  );
  await service.stop();
  assert.equal(clock.pending, 0);
});

test("a cron text that cannot be read any more is told as trouble and holds up no other schedule", async () => {
  const clock = new FakeClock(beganMs + 1);
  const store = openMemoryStore();
  const trouble: StoreError[] = [];
  const service = new ScheduleService({ store: countedStore(store), clock, onTrouble: (error) => trouble.push(error) });
  await put(store, clock, { scheduleId: "bad", timezone: "Gone/Zone", nextFireMs: clock.now() });
  await put(store, clock);
  service.start();
  await clock.pass(3 * minute);
  assert.deepEqual(await started(store), everyMinute(1, 3));
  assert.ok(trouble.length > 0 && trouble.every(({ message }) => message.includes("Gone/Zone")));
  await service.stop();
});

test("a store that fails holds firings up, and is told; then all that came is fired", async () => {
  const clock = new FakeClock(beganMs + 1);
  const memory = openMemoryStore();
  const trouble: string[] = [];
  let failing = false;
  const outage = new StoreError("UNAVAILABLE", "the database cannot be reached");
  const store = disturbedStore(countedStore(memory), () => (failing ? outage : undefined));
  const service = new ScheduleService({ store, clock, onTrouble: ({ code }) => trouble.push(code) });
  await put(memory, clock);
  service.start();
  failing = true;
  await clock.pass(2 * minute);
  assert.deepEqual(await started(memory), []);
  assert.ok(trouble.length > 5 && trouble.every((code) => code === "UNAVAILABLE"));
  failing = false;
  await clock.pass(limits.scheduleLeaseMs);
  assert.deepEqual(await started(memory), everyMinute(1, 2));
  await service.stop();
});

test("without schedules nothing is asked for and no timer is armed", async () => {
  const { clock, store, service } = useService();
  service.start();
  await clock.pass(minute);
  const { operations } = store.stats();
  await clock.pass(1_000 * minute);
  assert.equal(store.stats().operations, operations);
  assert.equal(clock.pending, 0);
  await service.stop();
});
