// Random programs of everything a workflow can do, on the engine and by the interpreter, which knows no crash: whatever the processes go
// through, all that can be seen from outside is the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryStore } from "../testing/memory-history.ts";
import { pick, type Rng, rngOf, seedOfRun } from "../testing/rng.ts";
import { describe, type Outcome, Stage } from "../testing/stage.ts";
import { bodyOf, randomStory, type Story, type StoryContext } from "../testing/stories.ts";
import { World, type WorldBody, type WorldInstance } from "../testing/world.ts";
import { defaultPolicy } from "./retry.ts";

const drainMs = 50;

/** The same for the same key, and rarely for two. */
function delayMs(key: string): number {
  let hash = 0x811c9dc5;
  for (const character of key) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (1 + rngOf(hash)() * 5_000) | 0;
}

type Tamper = ((store: MemoryStore) => void) | undefined;

interface Fate {
  readonly crashes: number;
  readonly suspensions: number;
}

async function enact(story: Story, rng: Rng, fate: Fate, tamper?: Tamper): Promise<{ outcome: Outcome; world: World }> {
  const undone = new Map<string, string>();
  const around = {
    isTimeless: false,
    work: (key: string, ms: number, s: { readonly signal: AbortSignal }) => world.work(key, ms, s),
    undone: (key: string, value: string) => void undone.set(key, value),
  };
  const workflows = Object.fromEntries(
    Object.entries(story.plots).map(([name, plot]) => {
      const body = bodyOf(plot, around);
      return [name, ((input, context) => body(input, context as unknown as StoryContext)) satisfies WorldBody];
    }),
  );
  const world: World = new World({
    workflows,
    rng,
    delayMs,
    tamper,
    ...fate,
    settings: { drainMs, hooks: { jitter: () => 0 }, stepPolicy: { ...defaultPolicy, attempts: 1 } },
  });
  world.start("main", workflows.main as WorldBody);
  for (const { atMs, name, value } of story.signals) world.clock.after(atMs, () => world.signal("main", name, value));
  const { cancelAtMs } = story;
  if (cancelAtMs !== undefined) world.clock.after(cancelAtMs, () => world.cancel("main", "why"));
  await world.run();
  const instances = [...world.instances];
  return {
    world,
    outcome: {
      ends: new Map(instances.flatMap(([id, instance]) => (instance.end ? [[id, endText(instance)] as const] : []))),
      messages: new Map(instances.map(([id, instance]) => [id, instance.messages.map(messageText)])),
      undone,
    },
  };
}

function endText({ end }: WorldInstance): string {
  if (end?.is === "returned") return `completed ${String(end.value)}`;
  if (end?.is === "threw") return `failed ${describe(end.error)}`;
  return `${end?.is} ${end && "error" in end ? String(end.error) : "undefined"}`;
}

function messageText(text: string): string {
  const message = JSON.parse(text) as { kind: string; key: string; subtype: string; text: string; at: number };
  if (message.kind === "published") return `published ${message.key} ${message.text}`;
  if (message.subtype !== "compensation_failed") return `event ${message.subtype} ${message.text} @${message.at}`;
  const { error } = JSON.parse(message.text) as { error: string };
  return `event compensation_failed ${JSON.stringify({ error: error.replace(": ", " ") })} @${message.at}`;
}

const plain = (outcome: Outcome): object => ({
  ends: Object.fromEntries([...outcome.ends].sort()),
  messages: Object.fromEntries([...outcome.messages].sort()),
  undone: Object.fromEntries([...outcome.undone].sort()),
});

const programs = Number(process.env.PROGRAMS ?? 300);

test(`random programs come to what the interpreter says, through crashes and suspensions`, async (t) => {
  const seed = seedOfRun();
  const count = { clear: 0, crashes: 0, suspensions: 0, instances: 0, completed: 0, failed: 0, cancelled: 0, stuck: 0 };
  for (let index = 0; index < programs; index++) {
    const story = randomStory(rngOf(seed + index));
    const stage = new Stage(story, delayMs, drainMs);
    const expected = await stage.play();
    if (stage.isAmbiguous) continue;
    count.clear++;
    for (const fate of [
      { crashes: 0, suspensions: 0 },
      { crashes: 0.02, suspensions: 0.3 },
      { crashes: 0.1, suspensions: 0 },
    ]) {
      const { outcome, world } = await enact(story, rngOf(seed + index + 7), fate);
      assert.deepEqual(
        plain(outcome),
        plain(expected),
        `repeat with SEED=${seed + index} PROGRAMS=1: ${JSON.stringify(fate)}`,
      );
      for (const instance of world.instances.values()) {
        count.crashes += instance.crashes;
        count.suspensions += instance.suspensions;
      }
    }
    for (const end of expected.ends.values()) count[end.split(" ")[0] as "completed"]++;
    count.instances += stage.actors.size;
    count.stuck += stage.actors.size - expected.ends.size;
  }
  t.diagnostic(`seed ${seed}: ${programs} programs, ${JSON.stringify(count)}`);
  assert.ok(count.clear * 4 > programs, `${count.clear} of ${programs} were clear`);
});

/** How many of the programs that are clear come to something else. */
async function countOfFaults(tamper: (rng: Rng) => Tamper): Promise<number> {
  let faults = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const story = randomStory(rngOf(seed));
    const stage = new Stage(story, delayMs, drainMs);
    const expected = await stage.play();
    if (stage.isAmbiguous) continue;
    const rng = rngOf(seed);
    // The store notices some of it by itself: a message that was another one before.
    const enacted = await enact(story, rng, { crashes: 0.1, suspensions: 0 }, tamper(rng)).catch(() => undefined);
    if (!enacted || JSON.stringify(plain(enacted.outcome)) !== JSON.stringify(plain(expected))) faults++;
  }
  return faults;
}

test("control: two stored results that change places are noticed", async () => {
  const faults = await countOfFaults((rng) => (store) => {
    const ids = [...store.entries.keys()];
    if (ids.length < 2) return;
    const first = pick(rng, ids.slice(1));
    const second = ids[ids.indexOf(first) - 1] as string;
    const headOf = (id: string): string => /^[^,]*,"seq":\d+,"at":\d+/.exec(store.entries.get(id) ?? "")?.[0] ?? "";
    const heads = [headOf(first), headOf(second)] as const;
    const texts = [first, second].map((id) => store.entries.get(id) ?? "") as [string, string];
    store.entries.set(first, texts[0].replace(heads[0], heads[1]));
    store.entries.set(second, texts[1].replace(heads[1], heads[0]));
  });
  assert.ok(faults > 20, `${faults} programs failed`);
});

test("control: a stored result that gets lost is noticed", async () => {
  const faults = await countOfFaults((rng) => (store) => {
    if (store.entries.size > 0) store.entries.delete(pick(rng, [...store.entries.keys()]));
  });
  assert.ok(faults > 20, `${faults} programs failed`);
});
