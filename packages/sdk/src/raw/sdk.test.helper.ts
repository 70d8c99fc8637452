// What the low-level SDK must do over whatever carries its calls: the wire here, core's services in embedded/.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Store } from "@runtara/store";
import { durable, registerSdk, SdkError, sdk, stopHeartbeat, trySdk } from "./index.ts";
import type { InstanceSdk } from "./instance-sdk.ts";

/** A core, an SDK of one of its instances (tenant "t"), and what an operator does to it. */
export interface RawSides {
  readonly store: Store;
  sdkFor(instanceId: string, more?: { signalPollIntervalMs?: number; heartbeatIntervalMs?: number }): InstanceSdk;
  signal(instanceId: string, signal: "cancel" | "pause"): Promise<void>;
  sendCustom(instanceId: string, name: string, payload: Uint8Array): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (state: Uint8Array | undefined): string | undefined => state && new TextDecoder().decode(state);

export function isSdkError(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof SdkError && error.code === code && message.test(error.message);
}

/** The tests, named after what carries the calls. */
export function testRawSdk(name: string, sidesOf: (t: TestContext) => Promise<RawSides>): void {
  void test(`${name}: an instance's life, call by call`, async (t) => {
    const core = await sidesOf(t);
    await using raw = core.sdkFor("i");
    assert.deepEqual(
      [raw.isConnected, raw.isRegistered, raw.instanceId, raw.tenantId, raw.heartbeatIntervalMs],
      [false, false, "i", "t", 30_000],
    );
    await raw.connect();
    await raw.connect();
    assert.equal((await raw.getStatus()).found, false);
    await raw.register();
    assert.deepEqual([raw.isConnected, raw.isRegistered], [true, true]);

    const saved = await raw.checkpoint("a", bytes("one"));
    assert.deepEqual([saved.found, saved.existingState, saved.shouldExit], [false, undefined, false]);
    const found = await raw.checkpoint("a", bytes("two"));
    assert.deepEqual([found.found, text(found.state), text(found.existingState)], [true, "one", "one"]);
    const empty = await raw.checkpoint("", new Uint8Array(0));
    assert.equal(empty.found, false);
    assert.equal(
      (await raw.checkpoint("", bytes("x"))).existingState?.length,
      0,
      "an empty state that was found is still one",
    );
    assert.deepEqual([text(await raw.getCheckpoint("a")), await raw.getCheckpoint("b")], ["one", undefined]);

    await raw.recordRetryAttempt("a", 2, "why");
    assert.ok(await raw.getCheckpoint("a::retry::2"));
    await raw.heartbeat();
    await raw.customEvent("progress", bytes("50"));
    await raw.sleep("10ms", "nap", new Uint8Array(0));
    await raw.sleep(0, "nap", new Uint8Array(0));

    await raw.suspended();
    assert.equal((await raw.getStatus()).status, "suspended");
    await assert.rejects(
      raw.checkpoint("late", bytes("x")),
      isSdkError("Server", /^server error: CHECKPOINT_ERROR - Instance 'i' is in invalid state/),
    );
    await raw.register("a");
    await raw.completed(bytes('{"ok":true}'));
    const status = await raw.getInstanceStatus("i");
    assert.deepEqual(
      [status.found, status.status, text(status.output), status.checkpointId],
      [true, "completed", '{"ok":true}', ""],
    );
    assert.ok(status.startedAt instanceof Date && status.finishedAt instanceof Date);
  });

  void test(`${name}: errors have the original's kinds and beginnings`, async (t) => {
    const core = await sidesOf(t);
    await using raw = core.sdkFor("i");
    await assert.rejects(
      raw.register("nowhere"),
      isSdkError("Registration", /^registration failed: Checkpoint 'nowhere' not found$/),
    );
    await using nameless = core.sdkFor("");
    await assert.rejects(
      nameless.register(),
      isSdkError("Registration", /^registration failed: instance_id is required$/),
    );
    await assert.rejects(
      raw.getCheckpoint("a"),
      isSdkError("Server", /^server error: GET_CHECKPOINT_ERROR - Instance 'i' not found$/),
    );
    await assert.rejects(raw.heartbeat(), isSdkError("Server", /^server error: INSTANCE_EVENT_ERROR - /));
    await assert.rejects(
      raw.sleep("soon" as never, "x", bytes("")),
      isSdkError("Config", /^configuration error: the duration is "soon"/),
    );
    await raw.register();
    await raw.failed("Error: x");
    assert.deepEqual([(await raw.getStatus()).error, (await raw.getStatus()).status], ["Error: x", "failed"]);
  });

  void test(`${name}: signals: polled, put back by checks, acknowledged; a pause that was put back never hides a cancel`, async (t) => {
    const core = await sidesOf(t);
    await using raw = core.sdkFor("i", { signalPollIntervalMs: 0 });
    await raw.register();
    assert.equal(await raw.pollSignal(), undefined);
    await raw.checkCancelled();
    await raw.checkPaused();

    await core.signal("i", "pause");
    assert.equal((await raw.pollSignal())?.signalType, "pause");
    assert.equal((await raw.checkpoint("a", bytes(""))).shouldPause, true);
    await raw.checkCancelled();
    await assert.rejects(raw.checkPaused(), isSdkError("Paused", /^instance paused$/));
    await core.signal("i", "cancel");
    await assert.rejects(raw.checkCancelled(), isSdkError("Cancelled", /^instance cancelled$/));
    await raw.checkPaused();
    const answer = await raw.checkpoint("b", bytes(""));
    assert.deepEqual(
      [answer.shouldCancel, answer.shouldPause, answer.shouldExit, answer.pendingSignal?.signalType],
      [true, false, true, "cancel"],
    );
    await raw.acknowledgeSignal("cancel", false);
    assert.equal((await raw.pollSignalNow())?.signalType, "cancel");
    await raw.acknowledgeSignal("cancel");
    assert.equal((await raw.getStatus()).status, "cancelled");
    assert.equal(await raw.pollSignalNow(), undefined);
  });

  void test(`${name}: a pause that was acknowledged, or is over, is not told again`, async (t) => {
    const core = await sidesOf(t);
    await using other = core.sdkFor("i");
    await using slow = core.sdkFor("i", { signalPollIntervalMs: 60_000 });
    await slow.register();
    await core.signal("i", "pause");
    await assert.rejects(slow.checkPaused(), isSdkError("Paused", /paused/));
    await assert.rejects(slow.checkPaused(), isSdkError("Paused", /paused/), "until it is acknowledged");
    await slow.acknowledgeSignal("pause", false);
    await assert.rejects(slow.checkPaused(), isSdkError("Paused", /paused/));
    await slow.acknowledgeSignal("pause");
    await slow.checkPaused();

    await using quick = core.sdkFor("i", { signalPollIntervalMs: 0 });
    await quick.register();
    await core.signal("i", "pause");
    await quick.checkCancelled();
    await other.acknowledgeSignal("pause");
    await quick.checkPaused();
  });

  void test(`${name}: closing ends a sleep that is under way, and nothing connects again`, async (t) => {
    const core = await sidesOf(t);
    const raw = core.sdkFor("i");
    await raw.register();
    const sleeping = assert.rejects(raw.sleep("1h", "nap", bytes("")), isSdkError("Connection", /^connection error: /));
    await raw.heartbeat();
    await raw.close();
    await sleeping;
    assert.equal(raw.isConnected, false);
  });

  void test(`${name}: polling asks the server no more often than its interval`, async (t) => {
    const core = await sidesOf(t);
    await using raw = core.sdkFor("i", { signalPollIntervalMs: 60_000 });
    await raw.register();
    assert.equal(await raw.pollSignal(), undefined, "the first poll is allowed at once");
    await core.signal("i", "pause");
    assert.equal(await raw.pollSignal(), undefined);
    assert.equal((await raw.pollSignalNow())?.signalType, "pause");
  });

  void test(`${name}: a signal for one checkpoint comes with that checkpoint, or by asking for it, once`, async (t) => {
    const core = await sidesOf(t);
    await using raw = core.sdkFor("i");
    await raw.register();
    await core.sendCustom("i", "approval", bytes("yes"));
    assert.equal(await raw.pollSignalNow(), undefined);
    assert.equal(text(await raw.pollCustomSignal("approval")), "yes");
    assert.equal(await raw.pollCustomSignal("approval"), undefined);
    await core.sendCustom("i", "approval", bytes("again"));
    const answer = await raw.checkpoint("approval", bytes(""));
    assert.deepEqual(
      [answer.customSignal?.checkpointId, text(answer.customSignal?.payload), answer.shouldExit],
      ["approval", "again", false],
    );
  });

  void test(`${name}: one SDK is the process's; its heartbeats go on while it sleeps`, async (t) => {
    const core = await sidesOf(t);
    let heartbeats = 0;
    let goOn: () => void = () => {};
    const going = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const submit = core.store.submit.bind(core.store);
    core.store.submit = ((operation: { kind: string; type?: string }, done: never) => {
      if (operation.kind === "appendEvent" && operation.type === "heartbeat" && ++heartbeats === 3) goOn();
      return submit(operation as never, done);
    }) as typeof core.store.submit;
    assert.equal(trySdk(), undefined);
    assert.throws(sdk, isSdkError("Internal", /No SDK registered\. Call register_sdk\(\) at application startup\.$/));
    const raw = core.sdkFor("i", { heartbeatIntervalMs: 10 });
    await raw.init();
    assert.equal(sdk(), raw);
    assert.throws(
      () => registerSdk(raw),
      isSdkError("Internal", /SDK already registered\. register_sdk\(\) should only be called once\.$/),
    );
    const sleeping = assert.rejects(raw.sleep("1h", "nap", bytes("")), isSdkError("Connection", /^connection error: /));
    await going;
    stopHeartbeat();
    stopHeartbeat();
    await raw.close();
    await sleeping;
    assert.equal(trySdk(), undefined);
    assert.equal(raw.isConnected, false);
  });

  void test(`${name}: durable functions use the original's keys, values and retries`, async (t) => {
    const core = await sidesOf(t);
    const warnings = t.mock.method(process, "emitWarning", () => {});
    const raw = core.sdkFor("i");
    await raw.init();
    t.after(() => raw.close());
    let runs = 0;
    const double = durable(async function double(_key: string, n: number): Promise<{ n: number; none: undefined }> {
      runs++;
      return { n: n * 2, none: undefined };
    });
    assert.deepEqual(await double("order-1", 4), { n: 8, none: undefined });
    assert.deepEqual(await double("order-1", 5), { n: 8 }, "found, as JSON gives it back");
    assert.equal(runs, 1);
    assert.equal(text(await raw.getCheckpoint("durable::double::order-1")), '{"n":8}');

    const attempts: number[] = [];
    const flaky = durable(
      async (_key: number) => {
        attempts.push(attempts.length + 1);
        if (attempts.length < 3) throw new Error(`no ${attempts.length}`);
      },
      { name: "flaky", delayMs: 1 },
    );
    assert.equal(await flaky(7), undefined);
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.equal(text(await raw.getCheckpoint("durable::flaky::7")), "null");
    assert.ok(await raw.getCheckpoint("durable::flaky::7::retry::2"), "the first retry is number 2");
    assert.ok(await raw.getCheckpoint("durable::flaky::7::retry::3"));

    let failures = 0;
    const failing = durable(
      async (_key: string) => {
        failures++;
        throw new Error("always");
      },
      { name: "failing", maxRetries: 1, delayMs: 1 },
    );
    await assert.rejects(failing("x"), /always/);
    assert.equal(failures, 2);
    assert.equal(await raw.getCheckpoint("durable::failing::x"), undefined, "errors are never stored");

    await raw.checkpoint("durable::double::broken", bytes("{"));
    assert.equal((await double("broken", 1)).n, 2);
    assert.equal(warnings.mock.callCount(), 1);

    const huge = durable(async (_key: string) => 5n, { name: "bigint" });
    await assert.rejects(
      huge("x"),
      isSdkError("Serialization", /^serialization error: the result of durable::bigint::x is not JSON/),
    );
    assert.throws(() => durable(async () => 1), isSdkError("Config", /has no name/));
    assert.throws(
      () => durable(async () => 1, { name: "x", maxRetries: -1 }),
      isSdkError("Config", /maxRetries is -1/),
    );

    await raw.completed(bytes(""));
    await assert.rejects(double("late", 1), isSdkError("Server", /CHECKPOINT_ERROR/));
    const careless = durable(async (_key: string) => 1, { name: "careless", onSaveError: "warn" });
    assert.equal(await careless("x"), 1);
  });
}
