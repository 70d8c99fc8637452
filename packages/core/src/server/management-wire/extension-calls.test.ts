import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { instance, management } from "@runtara/protocol";
import { bytes, onEachServer, text } from "../server.test.helper.ts";

const { InstanceStatus: Status } = management;
const { InstanceEventType: Event } = instance;
const notFound = { code: "RPC", fineCode: "INSTANCE_NOT_FOUND", isRetryable: false };
const invalid = { code: "RPC", fineCode: "VALIDATION_ERROR", isRetryable: false };

onEachServer((server) => {
  async function running(tenantId: string = randomUUID()): Promise<string> {
    const instanceId = `i ${randomUUID()}`;
    await server.instances.registerInstance({ instanceId, tenantId });
    return instanceId;
  }

  async function end(instanceId: string, eventType: instance.InstanceEventType, payload: string): Promise<void> {
    await server.instances.instanceEvent({ instanceId, eventType, payload: bytes(payload), timestampMs: 5n });
  }

  for (const port of ["admin", "instance"] as const) {
    const operator = () => server.operators[port];

    test(`${port}: a start is idempotent by its id; anything else under it is a conflict`, async () => {
      const start = { tenantId: "t", workflow: "w", instanceId: randomUUID(), input: bytes("1"), tags: { a: "b" } };
      const { created, status, instanceId } = await operator().startWorkflow(start);
      assert.deepEqual([created, status, instanceId], [true, Status.STATUS_PENDING, start.instanceId]);
      assert.equal((await operator().startWorkflow({ ...start, tags: {} })).created, false);
      const conflict = { rpcCode: "START_WORKFLOW_ERROR", fineCode: "START_CONFLICT", isRetryable: false };
      await assert.rejects(operator().startWorkflow({ ...start, input: bytes("2") }), {
        ...conflict,
        message: `Instance '${start.instanceId}' exists with another input`,
      });
      await assert.rejects(operator().startWorkflow({ ...start, workflow: "x", version: "1" }), {
        ...conflict,
        message: `Instance '${start.instanceId}' exists with another workflow, version`,
      });
      const { details } = await operator().getInstanceStatus({ instanceId: start.instanceId });
      assert.deepEqual([details?.workflow, details?.tags], ["w", { a: "b" }]);
    });

    test(`${port}: starts that make no sense are refused and leave nothing`, async () => {
      const good = { tenantId: "t", workflow: "w", instanceId: randomUUID() };
      for (const wrong of [
        { instanceId: "" },
        { tenantId: "" },
        { workflow: "" },
        { workflow: "a\0b" },
        { version: "x".repeat(3_000) },
        { tags: { "": "v" } },
        { tags: { k: "v".repeat(300) } },
        { startAtMs: -1n },
        { startAtMs: 2n ** 62n },
      ]) {
        await assert.rejects(
          operator().startWorkflow({ ...good, ...wrong }),
          invalid,
          JSON.stringify(Object.keys(wrong)),
        );
      }
      assert.equal((await operator().getInstanceStatus(good)).details, undefined);
    });

    test(`${port}: the result is there as soon as the instance has ended`, async () => {
      const instanceId = await running();
      const open = await operator().waitResult({ instanceId, waitMs: 1 });
      assert.equal(open.status, Status.STATUS_RUNNING);
      const waiting = operator().waitResult({ instanceId, waitMs: 60_000 });
      await end(instanceId, Event.EVENT_COMPLETED, "out");
      const done = await waiting;
      assert.deepEqual([done.status, text(done.output), done.error], [Status.STATUS_COMPLETED, "out", undefined]);
      assert.ok((done.finishedAtMs ?? 0n) > 0n);
      const failing = await running();
      await end(failing, Event.EVENT_FAILED, "no");
      const failed = await operator().waitResult({ instanceId: failing });
      assert.deepEqual([failed.status, failed.output, failed.error], [Status.STATUS_FAILED, undefined, "no"]);
      await assert.rejects(operator().waitResult({ instanceId: "nobody" }), notFound);
      await assert.rejects(operator().waitResult({ instanceId, tenantId: "other" }), notFound);
    });

    test(`${port}: orders are repeatable and answer the status after them`, async () => {
      const tenantId = randomUUID();
      const start = async () => {
        const { instanceId } = await operator().startWorkflow({ tenantId, workflow: "w", instanceId: randomUUID() });
        return { instanceId };
      };
      const paused = await start();
      for (let n = 0; n < 2; n += 1)
        assert.equal((await operator().pauseInstance(paused)).status, Status.STATUS_SUSPENDED);
      const seen = await operator().getInstanceStatus(paused);
      assert.equal(seen.details?.reason, "paused");
      for (let n = 0; n < 2; n += 1)
        assert.equal((await operator().resumeInstance(paused)).status, Status.STATUS_SUSPENDED);
      assert.ok((await operator().getInstanceStatus(paused)).details?.wakeAtMs !== undefined);
      const cancelled = await start();
      for (let n = 0; n < 2; n += 1) {
        const { status } = await operator().cancelInstance({ ...cancelled, reason: "enough" });
        assert.equal(status, Status.STATUS_CANCELLED);
      }
      const instanceId = await running(tenantId);
      const { status } = await operator().killInstance({ instanceId, reason: "stuck" });
      assert.equal(status, Status.STATUS_CANCELLED);
      const { details } = await operator().getInstanceStatus({ instanceId });
      assert.deepEqual([details?.reason, details?.reasonText], ["killed", "stuck"]);
      assert.equal((await operator().pauseInstance({ instanceId })).status, Status.STATUS_CANCELLED);
      for (const order of ["cancelInstance", "killInstance", "pauseInstance", "resumeInstance"] as const) {
        await assert.rejects(operator()[order]({ instanceId: "nobody" }), notFound, order);
        await assert.rejects(operator()[order]({ ...paused, tenantId: "other" }), notFound, order);
      }
      await assert.rejects(operator().killInstance({ ...paused, reason: "a\0b" }), invalid);
      await assert.rejects(operator().cancelInstance({ ...paused, reason: "r".repeat(65_537) }), {
        ...invalid,
        fineCode: "VALUE_TOO_LARGE",
      });
      assert.equal((await operator().getInstanceStatus(paused)).status, Status.STATUS_SUSPENDED);
    });

    test(`${port}: a running instance is asked to cancel, with the reason`, async () => {
      const instanceId = await running();
      assert.equal((await operator().cancelInstance({ instanceId, reason: "why" })).status, Status.STATUS_RUNNING);
      const { signal } = await server.instances.pollSignals({ instanceId });
      assert.deepEqual([signal?.signalType, text(signal?.payload)], [instance.SignalType.SIGNAL_CANCEL, "why"]);
    });

    test(`${port}: instances that fit every filter, page by page`, async () => {
      const tenantId = randomUUID();
      for (let n = 0; n < 12; n += 1) {
        const tags = { parity: String(n % 2), third: String(n % 3) };
        const workflow = n < 9 ? "w" : "x";
        await operator().startWorkflow({ tenantId, workflow, instanceId: `${tenantId} ${n}`, tags });
      }
      const query = async (init: object) => {
        const ids: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await operator().queryInstances({
            tenantId,
            ...init,
            ...(cursor === undefined ? {} : { cursor }),
          });
          assert.ok(page.instances.length <= 5);
          ids.push(...page.instances.map(({ instanceId }) => instanceId.split(" ")[1] ?? ""));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        return ids.map(Number).sort((one, other) => one - other);
      };
      assert.deepEqual(await query({ limit: 5 }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      assert.deepEqual(await query({ limit: 5, workflow: "w", tags: { parity: "1" } }), [1, 3, 5, 7]);
      assert.deepEqual(await query({ limit: 5, tags: { parity: "0", third: "0" } }), [0, 6]);
      assert.deepEqual(await query({ limit: 5, tags: { absent: "1" } }), []);
      assert.deepEqual(await query({ limit: 5, statuses: [Status.STATUS_RUNNING, 99] }), []);
      assert.deepEqual(await query({ limit: 5, statuses: [99] }), []);
      assert.equal((await query({ limit: 5, statuses: [Status.STATUS_PENDING] })).length, 12);
      assert.deepEqual(await query({ limit: 5, createdBeforeMs: 1n }), []);
      assert.equal(
        (await query({ limit: 5, createdAfterMs: -(2n ** 63n), createdBeforeMs: 2n ** 63n - 1n })).length,
        12,
      );
      await assert.rejects(operator().queryInstances({ tenantId, cursor: "nonsense" }), invalid);
    });

    test(`${port}: published values by key`, async () => {
      const instanceId = await running();
      const { start } = await server.instances.registerInstance({ instanceId, tenantId: "t", wantsStartFacts: true });
      const message = (number: bigint, key: string, value: string) => ({
        number,
        content: { case: "published" as const, value: { key, value: bytes(value) } },
      });
      const messages = [message(1n, "b", "1"), message(2n, "a", "2"), message(3n, "b", "3")];
      await server.instances.publish({ instanceId, epoch: start?.epoch ?? 0n, run: 1, messages } as never);
      const all = await operator().getPublished({ instanceId });
      assert.deepEqual(
        all.values.map(({ key, value }) => [key, text(value)]),
        [
          ["a", "2"],
          ["b", "3"],
        ],
      );
      const one = await operator().getPublished({ instanceId, key: "b" });
      assert.deepEqual(
        one.values.map(({ value }) => text(value)),
        ["3"],
      );
      assert.deepEqual((await operator().getPublished({ instanceId, key: "c" })).values, []);
      await assert.rejects(operator().getPublished({ instanceId: "nobody" }), notFound);
    });

    test(`${port}: the history, oldest first, page by page, long states left out`, async () => {
      const instanceId = await running();
      await server.instances.checkpoint({ instanceId, checkpointId: "short", state: bytes("12") });
      await server.instances.checkpoint({ instanceId, checkpointId: "long", state: new Uint8Array(100) });
      await server.instances.retryAttempt({
        instanceId,
        checkpointId: "r",
        attemptNumber: 1,
        errorMessage: "e",
        timestampMs: 1n,
      });
      await operator().sendSignal({ instanceId, signalType: management.SignalType.SIGNAL_PAUSE });
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = { instanceId, limit: 2, stateBytesMax: 10, ...(cursor === undefined ? {} : { cursor }) };
        const { entries, nextCursor } = await operator().listHistory(page);
        for (const { what } of entries) {
          if (what.case === "checkpoint") {
            const { checkpointId, state, stateBytes } = what.value;
            seen.push(`${checkpointId} ${text(state)} ${stateBytes}`);
          } else if (what.case === "event") seen.push(what.value.eventType);
          else if (what.case === "retry") seen.push(`retry ${what.value.attemptNumber} ${what.value.errorMessage}`);
          else if (what.case === "signal") seen.push(`${what.value.signalType} ${what.value.delivered}`);
        }
        cursor = nextCursor;
      } while (cursor !== undefined);
      assert.deepEqual(
        new Set(seen),
        new Set(["started", "short 12 2", "long undefined 100", "retry 1 e", "pause false"]),
      );
      assert.equal(seen.length, 5);
      await assert.rejects(operator().listHistory({ instanceId: "nobody" }), notFound);
      await assert.rejects(operator().listHistory({ instanceId, cursor: "nonsense" }), invalid);
    });

    test(`${port}: a watch begins with the details, then brings each change once, to the end`, async () => {
      const instanceId = await running();
      const first = await operator().watchInstance({ instanceId });
      assert.deepEqual(
        first.changes.map(({ what }) => what.case),
        ["details"],
      );
      const still = await operator().watchInstance({ instanceId, cursor: first.nextCursor, waitMs: 1 });
      assert.deepEqual([still.changes, still.ended], [[], false]);
      const open = operator().watchInstance({ instanceId, cursor: still.nextCursor, waitMs: 60_000 });
      await server.instances.checkpoint({ instanceId, checkpointId: "c", state: bytes("s") });
      const changed = await open;
      const [change] = changed.changes;
      assert.ok(change?.what.case === "history" && change.what.value.what.case === "checkpoint");
      assert.equal(change.what.value.what.value.checkpointId, "c");
      await end(instanceId, Event.EVENT_COMPLETED, "out");
      let next = changed;
      const last: string[] = [];
      while (!next.ended) {
        next = await operator().watchInstance({ instanceId, cursor: next.nextCursor });
        for (const { what } of next.changes) last.push(what.case === "details" ? String(what.value.status) : "history");
      }
      assert.ok(last.includes(String(Status.STATUS_COMPLETED)));
      const after = await operator().watchInstance({ instanceId, cursor: next.nextCursor, waitMs: 60_000 });
      assert.deepEqual([after.changes, after.ended], [[], true]);
      await assert.rejects(operator().watchInstance({ instanceId: "nobody" }), notFound);
      await assert.rejects(operator().watchInstance({ instanceId, cursor: "nonsense" }), invalid);
    });
  }
});
