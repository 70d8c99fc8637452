// One instance, its store played by the test.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { AnyWorkflow } from "../api/workflow.ts";
import { emit, publish, sleep, step, UnstorableValueError, waitFor, workflow } from "../index.ts";
import type { Operator } from "../ports/operator.ts";
import type { PendingSignal, StartFacts } from "../ports/source.ts";
import { SourceError } from "../ports/source-error.ts";
import type { RunEnd } from "../run/control.ts";
import type { Codec } from "../values/codec-port.ts";
import { createSealer } from "../values/sealer.ts";
import { definitionOf } from "../workflow.ts";
import { createRunner } from "./runner.ts";
import type { GoneWhy } from "./runtime.ts";
import { ScriptedSource, workOf } from "./testing/scripted-source.ts";
import { away, bytes, recordingLogger, settle, TestClock, textOf } from "./testing/setup.ts";

interface Scene {
  readonly facts?: Partial<StartFacts>;
  readonly suspendAfterMs?: number;
  readonly codecs?: readonly Codec[];
}

/** An instance that has just been claimed. */
async function claimed(t: TestContext, code: AnyWorkflow, scene: Scene = {}) {
  const clock = new TestClock();
  const source = new ScriptedSource(clock);
  const { logger, lines } = recordingLogger();
  const gone: { readonly why: GoneWhy; readonly end: RunEnd | undefined }[] = [];
  const { suspendAfterMs = 5_000, codecs = [] } = scene;
  const settings = { suspendAfterMs, drainMs: 0, leaseMs: 6_000, instancesMax: 10, stepsMax: 10 };
  const runner = createRunner({
    ...{ source, clock, logger, sealer: createSealer(codecs), activity: { begin: () => () => {} } },
    // Nothing here asks other instances for anything.
    operator: {} as Operator,
    settings: { ...settings, guard: false, strictTurns: false },
    onGone: (_id, why, end) => gone.push({ why, end }),
  });
  t.after(() => runner.vanish());
  runner.serve([definitionOf(code)]);
  await settle();
  const name = definitionOf(code).name;
  source.claims[0]?.answer({ sequence: 1, work: [workOf("i", { workflow: name, ...scene.facts })] });
  await settle();
  const session = source.sessions.get("i") ?? source.session(workOf("i"));
  /** Answers what is saved until nothing more comes. */
  const saveAll = async (signal?: PendingSignal): Promise<void> => {
    for (let answered = 0; ; ) {
      await settle();
      if (session.saves.length === answered) return;
      answered = session.saves.length;
      session.saved(signal);
    }
  };
  return { clock, source, session, runner, lines, gone, saveAll };
}

const twoSteps = workflow("w", async () => {
  await step("a", () => 1);
  return step("b", () => 2);
});

test("a run saves its steps and reports its output; the report is repeated until it is taken", async (t) => {
  const { clock, session, gone, saveAll, runner } = await claimed(t, twoSteps);
  await saveAll();
  assert.deepEqual(
    session.saves.map(({ batch }) => batch.entries.map(({ checkpointId }) => checkpointId)),
    [["a"], ["b"]],
  );
  session.reports[0]?.fail(away());
  await settle();
  await clock.pass(5_000);
  const [, second] = session.reports;
  assert.ok(second?.request.is === "completed");
  assert.equal(textOf(second.request.output), "2");
  assert.equal(runner.residents, 1);
  second.answer();
  await settle();
  assert.deepEqual([gone[0]?.why, runner.residents], ["ended", 0]);
});

test("messages without an entry behind them are saved before the end is reported", async (t) => {
  const tells = workflow("w", async () => {
    publish("k", 1);
    emit("e", { n: 2 });
  });
  const { session, saveAll } = await claimed(t, tells);
  await settle();
  assert.deepEqual([session.saves[0]?.batch.messages.length, session.reports.length], [2, 0]);
  await saveAll();
  assert.equal(session.reports.length, 1);
});

test("an error is reported as text and as what it was", async (t) => {
  const fails = workflow("w", async () => {
    throw Object.assign(new RangeError("too much"), { by: 3 });
  });
  const { session } = await claimed(t, fails);
  const { request } = session.reports[0] ?? {};
  assert.ok(request?.is === "failed");
  assert.equal(request.error, "RangeError: too much");
  const { message, by } = JSON.parse(textOf(request.failure))["$rt:Error"];
  assert.deepEqual([message, by], ["too much", 3]);
});

test("with codecs nothing of an error but its name lies open", async (t) => {
  const codec: Codec = { name: "x", encode: (plain) => plain.map((byte) => byte ^ 1), decode: (coded) => coded };
  const fails = workflow("w", async () => {
    throw new RangeError("the secret");
  });
  const { session } = await claimed(t, fails, { codecs: [codec] });
  const { request } = session.reports[0] ?? {};
  assert.ok(request?.is === "failed");
  assert.equal(request.error, "RangeError");
  assert.ok(!textOf(request.failure).includes("secret"));
});

test("an output that can't be kept, and one that the server refuses, fail the instance", async (t) => {
  const unstorable = workflow("w", (async () => () => 1) as never);
  const { request } = (await claimed(t, unstorable)).session.reports[0] ?? {};
  assert.ok(request?.is === "failed");
  assert.match(request.error, new RegExp(`^${UnstorableValueError.name}: `));

  const { session, saveAll, gone } = await claimed(t, twoSteps);
  await saveAll();
  session.reports[0]?.fail(new SourceError("REFUSED", "output has 99 bytes; at most 9 are allowed"));
  await settle();
  const second = session.reports[1];
  assert.ok(second?.request.is === "failed");
  assert.match(second.request.error, /^FatalError: the end was refused: output has 99 bytes/);
  second.answer();
  await settle();
  assert.equal(gone[0]?.why, "ended");
});

test("an entry that the server refuses for good fails the instance, and is not tried for ever", async (t) => {
  const { session, source } = await claimed(t, twoSteps);
  session.saves[0]?.done(new SourceError("REFUSED", "state has 99 bytes; at most 9 are allowed"), undefined);
  await settle();
  assert.ok(session.reports[0]?.request.is === "failed");
  assert.match(session.reports[0].request.error, /state has 99 bytes/);
  assert.deepEqual(source.released, []);
});

test("I5: fenced by the answer to a batch, it stops and only says that it knows", async (t) => {
  const { session, source, gone } = await claimed(t, twoSteps);
  session.saves[0]?.done(new SourceError("FENCED", "epoch 2, not 1"), undefined);
  await settle();
  assert.deepEqual([session.saves.length, session.reports.length], [1, 0]);
  assert.deepEqual(source.released, [{ instanceId: "i", epoch: 1, handBack: false, delayMs: 0, reason: "" }]);
  const { why, end } = gone[0] ?? {};
  assert.ok(why === "fenced" && end?.is === "fenced");
  assert.ok(end.error.cause instanceof SourceError);
});

test("I5: fenced by a poll or by a renewal, a waiting one stops as well", async (t) => {
  const asks = workflow("w", async () => waitFor("go"));
  const scene = { suspendAfterMs: Number.POSITIVE_INFINITY };
  const polled = await claimed(t, asks, scene);
  polled.source.polls.at(-1)?.answer([{ instanceId: "i", fenced: true, signal: undefined, queued: [] }]);
  await settle();
  assert.equal(polled.gone[0]?.why, "fenced");

  const renewed = await claimed(t, asks, scene);
  await renewed.clock.pass(2_000);
  renewed.source.renewals[0]?.answer({ lost: ["i", "long gone"] });
  await settle();
  assert.equal(renewed.gone[0]?.why, "fenced");
  // Named with each renewal until they are released.
  assert.deepEqual(renewed.source.released.map(({ instanceId }) => instanceId).toSorted(), ["i", "long gone"]);
});

test("a cancel that was there before the claim, and one that comes with the answer to a batch", async (t) => {
  const cancel: PendingSignal = { type: "cancel", payload: bytes("why") };
  const works = workflow("w", async () => {
    await step("a", () => 1);
    await waitFor("never");
  });
  for (const facts of [{ signal: cancel }, {}]) {
    const { session, gone, saveAll } = await claimed(t, works, { facts });
    await saveAll("signal" in facts ? undefined : cancel);
    const ids = session.saves.flatMap(({ batch }) => batch.entries.map(({ checkpointId }) => checkpointId));
    assert.deepEqual(ids.toSorted(), ["!cancel", "a"]);
    assert.deepEqual(session.reports[0]?.request, { is: "cancelled" });
    session.reports[0]?.answer();
    await settle();
    assert.equal(gone[0]?.why, "ended");
  }
});

test("a pause that a cancel has replaced meanwhile is given back, so that the cancel is seen to", async (t) => {
  const works = workflow("w", async () => {
    await step("a", () => 1);
    await step("b", () => 1);
  });
  const { session, source, saveAll } = await claimed(t, works, {
    facts: { signal: { type: "pause", payload: new Uint8Array() } },
  });
  await saveAll();
  assert.deepEqual(session.reports[0]?.request, { is: "paused" });
  session.reports[0]?.fail(new SourceError("REFUSED", "the pending signal is another"));
  await settle();
  assert.deepEqual(
    source.released.map(({ handBack, delayMs }) => [handBack, delayMs]),
    [[true, 0]],
  );
});

test("a resume of one that runs is acknowledged, and that is all", async (t) => {
  const asks = workflow("w", async () => waitFor("go"));
  const { session, source } = await claimed(t, asks);
  source.polls
    .at(-1)
    ?.answer([{ instanceId: "i", fenced: false, signal: { type: "resume", payload: new Uint8Array() }, queued: [] }]);
  await settle();
  assert.deepEqual([session.acknowledged, session.reports], [["resume"], []]);
  assert.equal(source.polls.at(-1)?.request.interests.at(-1)?.seenSignal, undefined);
});

test("one that waits long is put away, and says until when and for what", async (t) => {
  const waits = workflow("w", async () => {
    await Promise.race([sleep("an hour", "1h"), waitFor("go"), waitFor("stop")]);
  });
  const { clock, session, source, runner, gone } = await claimed(t, waits);
  await clock.pass(1_000);
  assert.deepEqual(
    session.suspensions.map(({ request }) => ({ ...request, names: request.names.toSorted() })),
    [
      {
        untilMs: session.work.facts.firstStartedAtMs + 3_600_000,
        names: ["go", "stop"],
        recordedSignal: undefined,
        afterSignalId: 0,
      },
    ],
  );
  session.suspensions[0]?.answer({ suspended: true });
  await settle();
  assert.deepEqual([gone[0]?.why, runner.residents, source.released], ["suspended", 0, []]);
  await clock.pass(7_200_000);
  assert.equal(session.saves.length, 0, "its timer is gone");
});

test("one that goes on by itself soon stays, and so does one that may never be put away", async (t) => {
  const short = workflow("w", async () => sleep("4s"));
  const soon = await claimed(t, short);
  await soon.clock.pass(3_000);
  assert.equal(soon.session.suspensions.length, 0);
  const never = await claimed(
    t,
    workflow("w", async () => waitFor("go")),
    { suspendAfterMs: Number.POSITIVE_INFINITY },
  );
  await never.clock.pass(60_000);
  assert.equal(never.session.suspensions.length, 0);
});

test("not yet: it goes on here with what had come, and is put away later", async (t) => {
  const waits = workflow("w", async () => [await waitFor("go"), await waitFor("stop")]);
  const { clock, session, saveAll } = await claimed(t, waits);
  await clock.pass(1_000);
  const queued = [{ signalId: 7, name: "go", payload: bytes("1"), createdAtMs: 0 }];
  session.suspensions[0]?.answer({ suspended: false, signal: undefined, queued });
  await saveAll();
  assert.equal(session.saves[0]?.batch.entries[0]?.consumesSignalId, 7);
  await clock.pass(1_000);
  assert.deepEqual(session.suspensions[1]?.request.names, ["stop"]);
});

test("one whose messages are on their way is put away only behind them", async (t) => {
  const waits = workflow("w", async () => {
    publish("k", 1);
    await waitFor("go");
  });
  const { clock, session } = await claimed(t, waits);
  await clock.pass(1_500);
  assert.deepEqual([session.saves.length, session.suspensions.length], [1, 0]);
  session.saved();
  await clock.pass(1_500);
  assert.equal(session.suspensions.length, 1);
});

test("a fault that is nobody's is logged, and the next worker gets a chance", async (t) => {
  const { session, source, lines } = await claimed(t, twoSteps, { facts: { checkpointCount: 2 } });
  assert.equal(session.saves[0]?.batch.entries[0]?.checkpointId, "a", "nothing was listed, so it begins anew");
  const broken = await claimed(
    t,
    workflow("w", async () => waitFor("go")),
  );
  await broken.clock.pass(1_000);
  broken.session.suspensions[0]?.fail(new Error("a bug"));
  await settle();
  const [release] = broken.source.released;
  assert.ok(release?.handBack && release.delayMs > 0 && release.reason.includes("a bug"));
  assert.ok(broken.lines.some((line) => line.startsWith("error ")));
  assert.deepEqual([source.released, lines.filter((line) => line.startsWith("error "))], [[], []]);
});

test("work of a workflow that is not served is given back", async (t) => {
  const { source, runner } = await claimed(t, twoSteps, { facts: { workflow: "stranger" } });
  assert.deepEqual(
    source.released.map(({ instanceId, handBack }) => [instanceId, handBack]),
    [["i", true]],
  );
  assert.equal(runner.residents, 0);
});
