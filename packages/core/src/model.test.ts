import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openStore } from "@runtara/store";
import fc from "fast-check";
import { type Answer, type Core, type CoreError, createCore } from "./index.ts";
import { type Call, callArbitrary, Model } from "./testing/model.ts";

/** Makes a call of the services; the answer in the words of the model. */
function perform(core: Core, call: Call, nowMs: number, answer: (text: string) => void) {
  const say = (error: CoreError | undefined, response: unknown) =>
    answer(error === undefined ? readable(response) : `error: ${error.message}`);
  const done = say as Answer<unknown>;
  const { instanceId, checkpointId } = call;
  const payload = Buffer.from(call.text);
  const { lifecycle, checkpoints, signals } = core;
  switch (call.kind) {
    case "register":
      return lifecycle.register({ instanceId, tenantId: "t" }, done);
    case "checkpoint":
      return checkpoints.save({ instanceId, checkpointId, state: payload }, done);
    case "get":
      return checkpoints.get({ instanceId, checkpointId }, done);
    case "event":
      return lifecycle.event({ instanceId, type: call.event, payload, timestampMs: nowMs }, done);
    case "status":
      return lifecycle.status(instanceId, done);
    case "poll":
      return signals.poll({ instanceId, checkpointId }, done);
    case "acknowledge":
      return signals.acknowledge({ instanceId, signal: call.signal, acknowledged: true }, done);
    case "send":
      return signals.send({ instanceId, signal: call.signal, payload }, done);
    case "sendCustom":
      return signals.sendCustom({ instanceId, checkpointId, payload }, done);
    case "retry":
      return checkpoints.recordRetry({ instanceId, checkpointId, attempt: 1, error: call.text }, done);
  }
}

/** JSON with bytes as text and without what is absent. */
function readable(response: unknown): string {
  return JSON.stringify(response ?? null, (_, value) =>
    value instanceof Uint8Array || value?.type === "Buffer" ? Buffer.from(value).toString() : value,
  );
}

test("random calls in random groups answer as the model does, across restarts of the store", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-model-"));
  let run = 0;
  // A group is what one turn brings: one transaction. `true` in its place closes and opens the store.
  const groups = fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.array(callArbitrary, { minLength: 1, maxLength: 12 }) },
      fc.constant("restart" as const),
    ),
    {
      maxLength: 30,
    },
  );
  try {
    await fc.assert(
      fc.asyncProperty(groups, async (turns) => {
        run += 1;
        const path = join(folder, `${run}.db`);
        let nowMs = 1_000;
        const model = new Model();
        let store = await openStore(path);
        let core = createCore({ store, now: () => nowMs });
        for (const turn of turns) {
          nowMs += 1;
          if (turn === "restart") {
            await store.close();
            store = await openStore(path);
            core = createCore({ store, now: () => nowMs });
            continue;
          }
          const expected = turn.map((call) => model.answer(call, nowMs));
          const answers: string[] = [];
          for (const [index, call] of turn.entries()) {
            perform(core, call, nowMs, (text) => {
              answers[index] = text;
            });
          }
          store.flush();
          assert.deepEqual(answers, expected);
        }
        await store.close();
      }),
      { numRuns: 80 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
