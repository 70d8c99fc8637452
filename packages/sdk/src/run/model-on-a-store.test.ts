// The random programs once more, through the whole runtime: workers on a store in memory that die before or after a commit, instances that are
// put away, real children and signals. Times are left out; what is to be compared is far enough apart that only one order is right.

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventText, Playhouse } from "../testing/playhouse.ts";
import { rngOf, seedOfRun } from "../testing/rng.ts";
import { type Outcome, Stage } from "../testing/stage.ts";
import { randomStory } from "../testing/stories.ts";

const longestMs = 4_000_000;
/** The runtime takes some time of the clock for a signal, and to put an instance away. */
const gapMs = 1_000;
const programs = Number(process.env.PROGRAMS ?? 24);

function plain({ ends, messages, undone }: Outcome): object {
  return {
    ends: Object.fromEntries([...ends].sort()),
    messages: Object.fromEntries([...messages].sort()),
    undone: Object.fromEntries([...undone].sort()),
  };
}

/** Events as they are read back: without their times, and published values, of which only the last is kept, left out. */
function withoutTimes(outcome: Outcome): Outcome {
  const events = (messages: readonly string[]): string[] =>
    messages.flatMap((message) => {
      const [, subtype = "", payload = ""] = /^event (\S+) (.*) @\d+$/.exec(message) ?? [];
      return subtype === "" ? [] : [eventText(subtype, JSON.parse(payload))];
    });
  return { ...outcome, messages: new Map([...outcome.messages].map(([id, messages]) => [id, events(messages)])) };
}

test("random programs on a store come to what the interpreter says, while workers die", async (t) => {
  const seed = seedOfRun();
  const count = { clear: 0, deaths: 0, instances: 0 };
  for (let index = 0; index < programs; index++) {
    const story = randomStory(rngOf(seed + index), longestMs);
    const stage = new Stage(story, () => 0, 0, gapMs);
    const expected = await stage.play();
    if (stage.isAmbiguous) continue;
    count.clear++;
    count.instances += stage.actors.size;
    const house = new Playhouse(story, rngOf(seed + index + 3), index % 3 === 0 ? 0 : 0.4);
    const outcome = await house.play(stage.passedMs + longestMs / 20);
    count.deaths += house.deaths;
    const message = `repeat with SEED=${seed + index} PROGRAMS=1`;
    assert.deepEqual(plain(outcome), plain(withoutTimes(expected)), message);
  }
  t.diagnostic(`seed ${seed}: ${programs} programs, ${JSON.stringify(count)}`);
  assert.ok(count.clear > 0 || programs < 20);
});
