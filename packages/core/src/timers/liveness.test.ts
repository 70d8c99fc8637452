import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { StoreError, type TouchInstances } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import { limits } from "../limits.ts";
import { Liveness } from "./index.ts";
import { disturbedStore } from "./testing/disturbed-store.ts";
import { FakeClock, settled } from "./testing/fake-clock.ts";

function useLiveness(t: TestContext, staleAfterMs = 120_000) {
  const clock = new FakeClock();
  const memory = openMemoryStore();
  const state = { failing: false };
  const touches: TouchInstances[] = [];
  const disturbed = disturbedStore(memory, () =>
    state.failing ? new StoreError("IO_FAILED", "the disk is gone") : undefined,
  );
  const liveness = new Liveness({
    store: {
      ...disturbed,
      run: (operation) => {
        if (operation.kind === "touchInstances") touches.push(operation as TouchInstances);
        return disturbed.run(operation);
      },
    },
    clock,
    staleAfterMs,
  });
  t.after(async () => {
    await liveness.stop();
    await memory.close();
    assert.equal(clock.pending, 0);
  });
  return { clock, liveness, touches, state };
}

test("calls are gathered: one note for each instance, the latest time, and none where nothing was heard", async (t) => {
  const { clock, liveness, touches } = useLiveness(t);
  await clock.pass(100_000);
  assert.equal(touches.length, 0);
  const sinceMs = clock.now();
  for (let n = 0; n < 100; n += 1) {
    liveness.heard("a", 1);
    liveness.heard("b", undefined);
    await clock.pass(10);
  }
  assert.equal(touches.length, 0);
  await clock.pass(limits.touchFlushMs);
  assert.deepEqual(
    touches.map(({ seen }) => seen),
    [
      [
        { instanceId: "a", epoch: 1, atMs: sinceMs + 990 },
        { instanceId: "b", atMs: sinceMs + 990 },
      ],
    ],
  );
});

test("of calls of two registrations the later one counts, and one without an epoch always does", async (t) => {
  const { clock, liveness, touches } = useLiveness(t);
  liveness.heard("a", 2);
  liveness.heard("a", 1);
  liveness.heard("b", 2);
  liveness.heard("b", undefined);
  await clock.pass(limits.touchFlushMs);
  assert.deepEqual(
    touches[0]?.seen.map(({ epoch }) => epoch),
    [2, undefined],
  );
});

test("what is held open is told again and again until it is let go of, once per hold", async (t) => {
  const { clock, liveness, touches } = useLiveness(t);
  const letGo = [liveness.hold("a", 1), liveness.hold("a", 1)];
  let source: string[] = ["s1", "s2"];
  liveness.addSource(() => source.map((instanceId) => ({ instanceId, epoch: 1, atMs: clock.now() })));
  await clock.pass(300_000);
  const times = touches.flatMap(({ seen }) =>
    seen.filter(({ instanceId }) => instanceId === "a").map(({ atMs }) => atMs),
  );
  for (const [index, atMs] of times.entries()) assert.ok(index === 0 || atMs - (times[index - 1] ?? 0) <= 30_000);
  assert.ok(times.length >= 10);
  source = [];
  letGo[0]?.();
  letGo[0]?.();
  touches.length = 0;
  await clock.pass(60_000);
  assert.ok(touches.length > 0, "one hold is left");
  letGo[1]?.();
  await clock.pass(limits.touchFlushMs);
  touches.length = 0;
  await clock.pass(300_000);
  assert.equal(touches.length, 0);
});

test("notes are handed over in pieces, early if there are many", async (t) => {
  const { liveness, touches } = useLiveness(t);
  for (let n = 0; n < limits.touchesMax / 2; n += 1) liveness.heard(`i${n}`, 1);
  while (touches.length < limits.touchesMax / 2 / limits.touchBatch) await settled();
  for (const { seen } of touches) assert.equal(seen.length, limits.touchBatch);
});

test("a store that fails loses no note, and nobody is judged by what it does not know", async (t) => {
  const { clock, liveness, touches, state } = useLiveness(t);
  state.failing = true;
  liveness.heard("a", 1);
  const heardMs = clock.now();
  await liveness.catchUp();
  await clock.pass(limits.touchFlushMs + 1);
  await assert.rejects(liveness.catchUp(), { code: "IO_FAILED" });
  touches.length = 0;
  state.failing = false;
  await liveness.catchUp();
  assert.deepEqual(touches[0]?.seen, [{ instanceId: "a", epoch: 1, atMs: heardMs }]);
});

test("beyond its bound it forgets, and then silence counts from that moment on only", async (t) => {
  const { clock, liveness, state } = useLiveness(t);
  state.failing = true;
  const beganMs = liveness.silentSinceMs;
  for (let n = 0; n < limits.touchesMax; n += 1) liveness.heard(`i${n}`, 1);
  assert.equal(liveness.silentSinceMs, beganMs);
  await clock.pass(5);
  liveness.heard("one too many", 1);
  assert.equal(liveness.silentSinceMs, beganMs + 5);
});

test("I10: an id that no engine can hold is nobody's, so it cannot hold up the notes of others", async (t) => {
  const { clock, liveness, touches } = useLiveness(t);
  for (const instanceId of ["a\0", "é".repeat(limits.idBytesMax)]) {
    liveness.heard(instanceId, 1);
    liveness.hold(instanceId, undefined);
  }
  liveness.heard("a", 1);
  await clock.pass(300_000);
  assert.deepEqual(
    touches.flatMap(({ seen }) => seen.map(({ instanceId }) => instanceId)),
    ["a"],
  );
});

test("with a short time of silence everything is quicker; with none nobody is judged", async (t) => {
  const quick = useLiveness(t, 1_000);
  const letGo = quick.liveness.hold("a", 1);
  await quick.clock.pass(1_000);
  assert.ok(quick.touches.length >= 3);
  letGo();
  const never = useLiveness(t, 0);
  assert.equal(never.liveness.judgedAfterMs, 0);
  never.liveness.hold("a", 1)();
  await never.clock.pass(limits.touchFlushMs);
  assert.equal(never.touches.length, 1, "when it was seen last is shown all the same");
});
