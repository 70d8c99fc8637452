import assert from "node:assert/strict";
import { test } from "node:test";
import { UnreadableValueError } from "../errors.ts";
import { runOptions } from "../testing/run-once.ts";
import { SimulatedClock } from "../testing/simulated-clock.ts";
import type { RunContext } from "./context.ts";
import type { RunEnd } from "./control.ts";
import { writeEnvelope } from "./envelope.ts";
import type { History } from "./history.ts";
import { type ListedRow, ListReplay } from "./list-replay.ts";
import { Run } from "./run.ts";

const rows: readonly ListedRow[] = ["a", "b", "c"].map((id, index) => ({ id, seq: index + 1 }));

function textOf({ id, seq = 0 }: ListedRow): string {
  return writeEnvelope({ seq, at: seq, kind: "step" }, "value", JSON.stringify(`stored ${id}`));
}

async function replay(read: (row: ListedRow) => string | Promise<string>): Promise<RunEnd> {
  const body = async (_: unknown, context: RunContext): Promise<unknown> => [
    await context.step("a", () => "ran"),
    await context.step("b", () => "ran"),
    await context.step("c", () => "ran"),
  ];
  const history = { isSparse: false, replay: new ListReplay(rows, read, 0) } as Partial<History> as History;
  return new Run(runOptions({ history, clock: new SimulatedClock(), body })).start();
}

test("entries are read one after the other, at once or later, each once", async () => {
  for (const isLate of [() => false, () => true, ({ id }: ListedRow) => id === "b"]) {
    const read: string[] = [];
    const end = await replay((row) => {
      read.push(row.id);
      return isLate(row) ? new Promise((resolve) => void setImmediate(() => resolve(textOf(row)))) : textOf(row);
    });
    assert.ok(end.is === "returned");
    assert.deepEqual(end.value, ["stored a", "stored b", "stored c"]);
    assert.deepEqual(read, ["a", "b", "c"]);
  }
});

test("an entry that can't be read diverges, naming it; trouble of the store ends the run and blames nobody", async () => {
  const failing = (isLate: boolean, error: Error) => (row: ListedRow) => {
    if (row.id !== "b") return textOf(row);
    if (isLate) return Promise.reject(error);
    throw error;
  };
  for (const isLate of [false, true]) {
    const end = await replay(failing(isLate, new UnreadableValueError('there is no codec "aes:k9"')));
    assert.ok(end.is === "diverged");
    assert.match(end.error.message, /entry 2 of 3[\s\S]*checkpoint b[\s\S]*can't be read: there is no codec "aes:k9"/);
    const away = new Error("the store is away");
    const stopped = await replay(failing(isLate, away));
    assert.ok(stopped.is === "stopped" && stopped.error === away);
  }
});

test("peeking twice reads once; what was taken is gone", async () => {
  let reads = 0;
  const list = new ListReplay(
    rows,
    async (row) => {
      reads++;
      return textOf(row);
    },
    5,
  );
  const [first, again] = [list.peek(), list.peek()];
  assert.deepEqual([(await first)?.id, (await again)?.id, reads], ["a", "a", 1]);
  assert.ok(!(list.peek() instanceof Promise), "it is there now");
  list.take();
  assert.equal((await list.peek())?.id, "b");
  assert.deepEqual([list.count, list.seqMax, list.sent, list.has("c"), list.has("d")], [3, 3, 5, true, false]);
});
