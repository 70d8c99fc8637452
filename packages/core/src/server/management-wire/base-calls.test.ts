import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { instance, management } from "@runtara/protocol";
import { managementFeatures } from "../capabilities.ts";
import { bytes, onEachServer, text } from "../server.test.helper.ts";

const { InstanceStatus: Status, SignalType } = management;
const { InstanceEventType: Event } = instance;

onEachServer((server) => {
  /** A running instance with a new id. */
  async function running(tenantId: string = randomUUID()): Promise<string> {
    const instanceId = `i ${randomUUID()}`;
    await server.instances.registerInstance({ instanceId, tenantId });
    return instanceId;
  }

  async function ended(tenantId?: string): Promise<string> {
    const instanceId = await running(tenantId);
    const completed = { instanceId, eventType: Event.EVENT_COMPLETED, payload: bytes("out"), timestampMs: 5n };
    await server.instances.instanceEvent(completed);
    return instanceId;
  }

  for (const port of ["admin", "instance"] as const) {
    const operator = () => server.operators[port];

    test(`${port}: health tells version, uptime, features, and what runs`, async () => {
      const before = await operator().healthCheck({});
      await running();
      await ended();
      const { healthy, version, uptimeMs, activeInstances, features } = await operator().healthCheck({});
      assert.deepEqual([healthy, version], [true, "0.1.0"]);
      assert.ok(uptimeMs >= before.uptimeMs);
      assert.equal(activeInstances, before.activeInstances + 1);
      assert.deepEqual(features, [...managementFeatures]);
      assert.ok(features.includes("schedules"));
    });

    test(`${port}: a signal reaches the instance; I6: a pending cancel stays`, async () => {
      const instanceId = await running();
      const send = (signalType: management.SignalType, payload: string) =>
        operator().sendSignal({ instanceId, signalType, payload: bytes(payload) });
      assert.deepEqual(await send(SignalType.SIGNAL_PAUSE, "one"), {
        $typeName: "runtara.management.SendSignalResponse",
        success: true,
        error: "",
      });
      await send(SignalType.SIGNAL_CANCEL, "two");
      await send(SignalType.SIGNAL_PAUSE, "three");
      const { signal } = await server.instances.pollSignals({ instanceId });
      assert.deepEqual([signal?.signalType, text(signal?.payload)], [instance.SignalType.SIGNAL_CANCEL, "two"]);
    });

    test(`${port}: signals that are refused say so in the answer`, async () => {
      const [live, done] = [await running(), await ended()];
      const refusal = async (init: object) => {
        const { success, error } = await operator().sendSignal(init);
        return `${success} ${error}`;
      };
      assert.equal(await refusal({ instanceId: "nobody" }), "false Instance 'nobody' not found");
      assert.equal(
        await refusal({ instanceId: done }),
        "false Cannot send signal to instance in 'completed' state (terminal state)",
      );
      assert.equal(await refusal({ instanceId: live, signalType: 9 }), "false Unknown signal type: 9");
      assert.equal(await refusal({ instanceId: live, tenantId: "other" }), `false Instance '${live}' not found`);
      assert.equal((await server.instances.pollSignals({ instanceId: live })).signal, undefined);
    });

    test(`${port}: a named signal takes its slot whatever the status, or its place in the queue`, async () => {
      const instanceId = await ended();
      const send = async (init: object) => {
        const { success, error } = await operator().sendCustomSignal({ instanceId, checkpointId: "go", ...init });
        return `${success} ${error}`;
      };
      assert.equal(await send({ payload: bytes("first") }), "true ");
      assert.equal(await send({ payload: bytes("last") }), "true ");
      const { customSignal } = await server.instances.pollSignals({ instanceId, checkpointId: "go" });
      assert.equal(text(customSignal?.payload), "last");
      assert.equal(await send({ checkpointId: "" }), "false checkpoint_id is required");
      assert.equal(await send({ instanceId: "nobody" }), "false Instance 'nobody' not found");
      assert.match(await send({ checkpointId: "a\0b" }), /^false .*checkpoint_id must not contain U\+0000/);
      assert.match(await send({ checkpointId: "x".repeat(2_705) }), /^false .*2705 bytes; at most 2704/);
      assert.match(await send({ queued: true }), /^false Cannot send signal to instance in 'completed' state/);
      assert.match(await send({ queued: true, messageId: "" }), /^false .*message_id is required/);
      assert.match(
        await send({ queued: true, checkpointId: "pay!result" }),
        /^false .*'pay!result' is a name of a child's result/,
      );
    });

    test(`${port}: I6: queued signals stay in order, one for each message id`, async () => {
      const instanceId = await running();
      for (const [payload, messageId] of [
        ["1", "a"],
        ["2", "b"],
        ["again", "a"],
        ["3", "c"],
      ] as const) {
        const sent = { instanceId, checkpointId: "n", queued: true, messageId, payload: bytes(payload) };
        assert.equal((await operator().sendCustomSignal(sent)).success, true);
      }
      const took: (string | undefined)[] = [];
      for (let n = 0; n < 4; n += 1) {
        const { customSignal } = await server.instances.pollSignals({ instanceId, checkpointId: "n" });
        took.push(text(customSignal?.payload));
      }
      assert.deepEqual(took, ["1", "2", "3", undefined]);
    });

    test(`${port}: the status is that of the instance protocol, with details`, async () => {
      const tenantId = randomUUID();
      const instanceId = await ended(tenantId);
      const { details, $typeName, ...base } = await operator().getInstanceStatus({ instanceId });
      const { $typeName: _, ...expected } = await server.instances.getInstanceStatus({ instanceId });
      assert.deepEqual(base, expected);
      assert.deepEqual([base.status, text(base.output)], [Status.STATUS_COMPLETED, "out"]);
      assert.deepEqual([details?.tenantId, details?.reason, details?.run], [tenantId, "reported", 1]);
      assert.equal(details?.finishedAtMs, base.finishedAtMs);
      for (const ref of [{ instanceId: "nobody" }, { instanceId, tenantId: "other" }]) {
        const unknown = await operator().getInstanceStatus(ref);
        const seen = [unknown.instanceId, unknown.status, unknown.startedAtMs, unknown.details];
        assert.deepEqual(seen, [ref.instanceId, Status.STATUS_UNKNOWN, 0n, undefined]);
      }
    });

    test(`${port}: instances newest first, filtered, with the true total`, async () => {
      const tenantId = randomUUID();
      const ids: string[] = [];
      for (let n = 0; n < 7; n += 1) ids.unshift(await (n % 3 === 0 ? ended(tenantId) : running(tenantId)));
      const list = async (init: object) => {
        const { instances, totalCount } = await operator().listInstances({ tenantId, limit: 100, ...init });
        return { ids: instances.map(({ instanceId }) => instanceId), totalCount };
      };
      const all = await list({});
      assert.deepEqual(new Set(all.ids), new Set(ids));
      assert.equal(all.totalCount, 7);
      const times = (await operator().listInstances({ tenantId, limit: 9 })).instances.map(
        ({ createdAtMs }) => createdAtMs,
      );
      assert.deepEqual(times, [...times].sort().reverse());
      assert.deepEqual(await list({ status: 0 }), all);
      assert.equal((await list({ status: Status.STATUS_COMPLETED })).totalCount, 3);
      assert.deepEqual(await list({ status: 77 }), { ids: [], totalCount: 0 });
      assert.deepEqual(await list({ limit: 0 }), { ids: [], totalCount: 7 });
      assert.deepEqual(await list({ limit: 2, offset: 3 }), { ids: all.ids.slice(3, 5), totalCount: 7 });
      assert.deepEqual(await list({ offset: 7 }), { ids: [], totalCount: 7 });
      assert.deepEqual(await list({ tenantId: "nobody's" }), { ids: [], totalCount: 0 });
    });

    test(`${port}: checkpoints newest first with sizes, retries among them, and the true total`, async () => {
      const instanceId = await running();
      for (const [checkpointId, state] of [
        ["a", "1"],
        ["b", "22"],
        ["c", "333"],
      ] as const) {
        await server.instances.checkpoint({ instanceId, checkpointId, state: bytes(state) });
      }
      await server.instances.retryAttempt({ instanceId, checkpointId: "d", attemptNumber: 2, timestampMs: 1n });
      const list = async (init: object) => operator().listCheckpoints({ instanceId, ...init });
      const all = await list({});
      assert.deepEqual(
        all.checkpoints.map(({ checkpointId, dataSizeBytes }) => [checkpointId, dataSizeBytes]),
        [
          ["d::retry::2", 0n],
          ["c", 3n],
          ["b", 2n],
          ["a", 1n],
        ],
      );
      assert.deepEqual([all.totalCount, all.limit, all.offset], [4, 100, 0]);
      assert.ok(all.checkpoints.every((one) => one.instanceId === instanceId && one.createdAtMs > 0n));
      const page = await list({ limit: 2, offset: 1 });
      assert.deepEqual(
        page.checkpoints.map(({ checkpointId }) => checkpointId),
        ["c", "b"],
      );
      assert.deepEqual([page.totalCount, page.limit, page.offset], [4, 2, 1]);
      assert.equal((await list({ checkpointId: "b" })).totalCount, 1);
      assert.equal((await list({ checkpointId: "" })).totalCount, 0);
      assert.equal((await list({ limit: 4_294_967_295 })).limit, 10_000);
      const first = all.checkpoints.at(-1)?.createdAtMs ?? 0n;
      assert.equal((await list({ createdAfterMs: first })).totalCount, 4);
      assert.equal((await list({ createdBeforeMs: first })).totalCount, 0);
      const [min, max] = [-(2n ** 63n), 2n ** 63n - 1n];
      assert.equal((await list({ createdAfterMs: min, createdBeforeMs: max })).totalCount, 4);
      assert.equal((await list({ createdAfterMs: max, createdBeforeMs: min })).totalCount, 0);
      assert.deepEqual((await operator().listCheckpoints({ instanceId: "nobody" })).totalCount, 0);
      assert.equal((await list({ tenantId: "other" })).totalCount, 0);
    });

    test(`${port}: a checkpoint's bytes, or nothing`, async () => {
      const instanceId = await running();
      await server.instances.checkpoint({ instanceId, checkpointId: "a", state: bytes("state") });
      const found = await operator().getCheckpoint({ instanceId, checkpointId: "a" });
      assert.deepEqual([found.found, found.checkpointId, found.instanceId], [true, "a", instanceId]);
      assert.deepEqual([text(found.data), found.createdAtMs > 0n], ["state", true]);
      for (const ref of [
        { instanceId, checkpointId: "b" },
        { instanceId: "nobody", checkpointId: "a" },
        { instanceId, checkpointId: "a", tenantId: "other" },
      ]) {
        const { found: isThere, data, createdAtMs, ...ids } = await operator().getCheckpoint(ref);
        assert.deepEqual([isThere, data.length, createdAtMs], [false, 0, 0n]);
        assert.deepEqual([ids.instanceId, ids.checkpointId], [ref.instanceId, ref.checkpointId]);
      }
    });

    test(`${port}: pages do not shift while instances come`, async () => {
      const tenantId = randomUUID();
      const old: string[] = [];
      for (let n = 0; n < 30; n += 1) old.push(await running(tenantId));
      const seen: string[] = [];
      for (let offset = 0; offset < 30; offset += 10) {
        const page = await operator().listInstances({ tenantId, limit: 10, offset });
        seen.push(...page.instances.map(({ instanceId }) => instanceId));
        assert.equal(page.totalCount, 30 + 3 * (offset / 10));
        for (let n = 0; n < 3; n += 1) await running(tenantId);
      }
      assert.deepEqual(new Set(seen), new Set(old));
      assert.equal(seen.length, 30);
    });
  }

  test("no call at all is answered EMPTY_REQUEST", async () => {
    const { answer } = await server.instances.management({});
    assert.ok(answer?.response.case === "error");
    assert.equal(answer.response.value.code, "EMPTY_REQUEST");
  });
});
