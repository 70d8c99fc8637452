import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChangedInstances, isFeedCursor } from "./changed-instances.ts";

const idsMax = 5;

/** Every page behind the cursor, or undefined where something was forgotten. */
function all(changed: ChangedInstances, cursor: string, limit: number): string[] | undefined {
  const ids: string[] = [];
  for (let at = cursor; ; ) {
    const page = changed.after(at, limit);
    if (page === undefined) return undefined;
    if (page.instanceIds.length === 0) {
      assert.equal(page.nextCursor, changed.cursor);
      return ids;
    }
    assert.ok(page.instanceIds.length <= limit);
    ids.push(...page.instanceIds);
    at = page.nextCursor;
  }
}

/** Each once, in the order of the last change. */
function lastChanges(ids: readonly string[]): string[] {
  return [...new Set(ids.toReversed())].reverse();
}

test("behind every cursor: each instance that has changed since, once, or nothing where any was forgotten", () => {
  const steps = fc.array(fc.oneof({ weight: 20, arbitrary: fc.nat(8).map(String) }, fc.constant("anything" as const)), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), (history, limit) => {
      const changed = new ChangedInstances(idsMax);
      const cursors = [changed.cursor];
      for (const step of history) {
        if (step === "anything") changed.noteAnything();
        else changed.note(step);
        cursors.push(changed.cursor);
      }
      for (const [place, cursor] of cursors.entries()) {
        const since = history.slice(place);
        const expected = lastChanges(since);
        const isKnown = !since.includes("anything") && expected.length <= idsMax;
        assert.equal(changed.countAfter(cursor), isKnown ? since.length : undefined);
        assert.deepEqual(all(changed, cursor, limit), isKnown ? expected : undefined);
      }
      assert.deepEqual(all(changed, changed.cursor, limit), []);
    }),
  );
});

test("no more ids than the bound are kept, those that changed last", () => {
  const changed = new ChangedInstances(3);
  const begin = changed.cursor;
  for (const id of ["a", "b", "c", "a"]) changed.note(id);
  assert.deepEqual(changed.after(begin, 10)?.instanceIds, ["b", "c", "a"]);
  const behindB = changed.after(begin, 1)?.nextCursor ?? "";
  changed.note("d");
  assert.equal(changed.after(begin, 10), undefined);
  assert.deepEqual(changed.after(behindB, 10)?.instanceIds, ["c", "a", "d"]);
});

test("cursors of other memories and of changes to come are not known", () => {
  const changed = new ChangedInstances(idsMax);
  const [name] = changed.cursor.split(".");
  assert.equal(changed.countAfter(`${name}.0`), 0);
  for (const strange of [new ChangedInstances(idsMax).cursor, `${name}.1`, `${name}.`, "nonsense", ""]) {
    assert.equal(changed.countAfter(strange), undefined, strange);
    assert.equal(changed.after(strange, 1), undefined, strange);
  }
  assert.ok(isFeedCursor(changed.cursor));
  for (const no of ["", "nonsense", `${name}`, `${name}.-1`, `${name}.1x`, ` ${name}.1`, `${name}.${"9".repeat(16)}`]) {
    assert.equal(isFeedCursor(no), false, no);
  }
});
