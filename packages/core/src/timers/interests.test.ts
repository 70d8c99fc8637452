import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { type InterestChange, Interests, type SignalInterest } from "./interests.ts";

const interest = (instanceId: string, more: Partial<SignalInterest> = {}): SignalInterest => ({
  instanceId,
  epoch: 1,
  names: ["n"],
  afterSignalId: 0,
  ended: false,
  ...more,
});

function apply(interests: Interests, ...poll: Parameters<Interests["apply"]>): InterestChange {
  const change = interests.apply(...poll);
  if (change instanceof CoreError) throw change;
  return change;
}

test("in whatever order polls arrive, what stands is what they said in the order of their revisions", () => {
  const member = fc.record({ instanceId: fc.constantFrom("a", "b", "c"), ended: fc.boolean() });
  const poll = fc.record({
    members: fc.uniqueArray(member, { selector: ({ instanceId }) => instanceId, maxLength: 3 }),
    replacesAll: fc.boolean(),
  });
  const polls = fc.array(poll, { maxLength: 6 });
  fc.assert(
    fc.property(
      polls.chain((said) =>
        fc.tuple(
          fc.constant(said),
          fc.shuffledSubarray(
            said.map((_, index) => index),
            { minLength: said.length },
          ),
        ),
      ),
      ([said, order]) => {
        const results = [said.map((_, index) => index), order].map((arrivals) => {
          const interests = new Interests();
          const known = new Set<string>();
          for (const index of arrivals) {
            const { members = [], replacesAll = false } = said[index] ?? {};
            const named = members.map(({ instanceId, ended }) => interest(instanceId, { ended, afterSignalId: index }));
            const { added, removed } = apply(interests, index + 1, named, replacesAll);
            for (const id of added) known.add(id);
            for (const id of removed) known.delete(id);
          }
          const standing = [...interests.all()].map(({ interest: { instanceId, afterSignalId } }) => [
            instanceId,
            afterSignalId,
          ]);
          assert.deepEqual(
            [...known].toSorted(),
            standing.map(([id]) => id).toSorted(),
            "the changes add up to what stands",
          );
          return standing.toSorted();
        });
        assert.deepEqual(results[1], results[0]);
      },
    ),
    { numRuns: 500 },
  );
});

test("each interest is read once, and again after each notice, in turn", () => {
  const interests = new Interests();
  apply(
    interests,
    1,
    ["a", "b", "c"].map((id) => interest(id)),
    false,
  );
  const ids = (count: number) => interests.take(count).map((standing) => standing.interest.instanceId);
  assert.deepEqual(ids(2), ["a", "b"]);
  interests.markUnread("a");
  interests.markUnread("unknown");
  assert.deepEqual(ids(5), ["c", "a"]);
  assert.deepEqual(ids(5), []);
  interests.markAllUnread();
  assert.ok(interests.remove("b"));
  assert.deepEqual(ids(5), ["a", "c"]);
});

test("an interest that was replaced during a read stands no longer", () => {
  const interests = new Interests();
  apply(interests, 1, [interest("a")], false);
  const [read] = interests.take(1);
  assert.ok(read !== undefined && interests.stands(read));
  apply(interests, 2, [interest("a", { afterSignalId: 7 })], false);
  assert.equal(interests.stands(read), false);
  assert.equal(interests.take(1)[0]?.interest.afterSignalId, 7);
});

test("I10: beyond the bounds of a connection a poll is refused as a whole", () => {
  const interests = new Interests();
  apply(interests, 1, [interest("first")], false);
  const many = Array.from({ length: limits.interestsPerConnectionMax }, (_, index) => interest(`i${index}`));
  const refused = interests.apply(2, [interest("first", { ended: true }), ...many.slice(1), interest("x")], false);
  assert.ok(refused instanceof CoreError);
  assert.equal(refused.code, "VALIDATION_ERROR");
  assert.match(refused.message, /100001 instances on one connection; at most 100000/);
  assert.equal(interests.size, 1);
  const long = interest("first", { names: ["n".repeat(limits.interestCharactersMax)] });
  assert.ok(interests.apply(3, [long], false) instanceof CoreError);
  assert.equal(apply(interests, 4, many, true).removed.length, 1);
  assert.equal(interests.size, limits.interestsPerConnectionMax);
});
