import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytes, onEachEngine } from "../testing/test-core.ts";
import type { BatchRequest, BatchResponse, CheckpointResponse, PublishResponse } from "./index.ts";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = Number(process.env.RUNS ?? 25);

/** Batches of one instance, each sent one to three times, at once or one after another. */
const batches = fc.array(
  fc.record({
    ids: fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"), { maxLength: 4 }),
    text: fc.string({ maxLength: 4 }),
    messages: fc.nat({ max: 2 }),
    beginsRun: fc.boolean(),
    times: fc.integer({ min: 1, max: 3 }),
    together: fc.boolean(),
  }),
  { minLength: 1, maxLength: 16 },
);

onEachEngine((t) => {
  const save = (request: BatchRequest) => t.outcome<BatchResponse>((answer) => t.core.batches.save(request, answer));

  test(`I2, I3: repeated batches change nothing, whenever their repetition comes (SEED=${seed})`, async () => {
    let instance = 0;
    await fc.assert(
      fc.asyncProperty(batches, async (sent) => {
        instance += 1;
        const instanceId = `i${instance}`;
        await t.register(instanceId);
        const kept = new Map<string, string>();
        let run = 1;
        let published = 0;
        for (const { ids, text, messages, beginsRun, times, together } of sent) {
          // A batch that begins a run is known by its entries, so it has one that is new.
          const entryIds = beginsRun ? [...ids, `!${run + 1}`] : ids;
          const request: BatchRequest = {
            instanceId,
            epoch: 1,
            entries: entryIds.map((checkpointId) => ({ checkpointId, state: bytes(text) })),
            messages: Array.from({ length: messages }, (_, n) => ({
              number: published + n + 1,
              content: { kind: "published", key: "k", value: bytes(text) },
            })),
            beginsRun: beginsRun ? run + 1 : undefined,
          };
          const answers = await sendTimes(() => save(request), times, together);
          const before = new Map(kept);
          for (const id of entryIds) if (!kept.has(id)) kept.set(id, text);
          for (const [number, answer] of answers.entries()) {
            assert.ok(typeof answer !== "string", String(answer));
            const known = number === 0 ? before : kept;
            const expected = entryIds.map((id) => known.get(id));
            assert.deepEqual(
              answer.entries.map(({ state }) => state && Buffer.from(state).toString()),
              expected,
            );
          }
          published = beginsRun ? 0 : published + messages;
          run += beginsRun ? 1 : 0;
        }
        const end = await t.outcome<PublishResponse>((answer) =>
          t.core.batches.publish({ instanceId, epoch: 1, run, messages: [] }, answer),
        );
        assert.deepEqual(end, { lastNumber: published });
      }),
      { seed, numRuns },
    );
  });

  test("I2: of first saves of one id through two openings of the database, alone and in batches, one is told saved", async () => {
    const other = await t.openOther();
    for (let round = 0; round < 10; round += 1) {
      const instanceId = `race${round}`;
      await t.register(instanceId);
      const saves = Array.from({ length: 12 }, (_, n) => {
        const core = n % 2 === 0 ? t.core : other;
        const state = bytes(String(n));
        const inBatch = () =>
          t.outcome<BatchResponse>((answer) =>
            core.batches.save({ instanceId, epoch: 1, entries: [{ checkpointId: "c", state }], messages: [] }, answer),
          );
        const alone = () =>
          t.outcome<CheckpointResponse>((answer) =>
            core.checkpoints.save({ instanceId, checkpointId: "c", state }, answer),
          );
        return n % 3 === 0 ? inBatch().then(foundInBatch) : alone().then(foundAlone);
      });
      const answers = await Promise.all(saves);
      const found = answers.filter((answer) => answer !== undefined);
      assert.equal(found.length, answers.length - 1, String(answers));
      assert.equal(new Set(found).size, 1, String(answers));
      assert.equal(answers.indexOf(undefined), Number(found[0]));
    }
  });
});

async function sendTimes<T>(send: () => Promise<T>, times: number, together: boolean): Promise<T[]> {
  if (together) return Promise.all(Array.from({ length: times }, send));
  const answers: T[] = [];
  for (let n = 0; n < times; n += 1) answers.push(await send());
  return answers;
}

/** What was found; undefined = it was saved. */
function foundInBatch(answer: BatchResponse | string): string | undefined {
  assert.ok(typeof answer !== "string", String(answer));
  const state = answer.entries[0]?.state;
  return state && Buffer.from(state).toString();
}

function foundAlone(answer: CheckpointResponse | string): string | undefined {
  assert.ok(typeof answer !== "string", String(answer));
  return answer.found ? Buffer.from(answer.state).toString() : undefined;
}
