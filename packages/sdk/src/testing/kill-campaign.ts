// Processes that are killed again and again while they run the workflows of fixtures/driven.ts: every workflow ends, and nothing that a workflow
// was given ever changes.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Child } from "./processes.ts";
import { type Rng, rngOf, seedOfRun } from "./rng.ts";

const instancesPerWorkflow = 3;
const workflowNames = ["line", "branches", "family"];

interface Given {
  readonly type: "given";
  readonly id: string;
  readonly step: string;
  readonly value: number;
}
interface Result {
  readonly type: "result";
  readonly id: string;
  readonly value: readonly number[];
}

const ready = (child: Child): Promise<unknown> => child.line((line) => line === '{"type":"ready"}');
const tell = (child: Child, command: string): void => {
  child.process.stdin?.write(`${command}\n`);
};

/** What the processes have said, judged as it comes. */
class Ledger {
  readonly #given = new Map<string, number>();

  /** Everything that this process has said by now. */
  read(child: Child): void {
    for (const line of child.lines) {
      if (!line.startsWith('{"type":"given"') || !line.endsWith("}")) continue;
      const { id, step, value } = JSON.parse(line) as Given;
      const key = `${id} ${step}`;
      const earlier = this.#given.get(key);
      assert.ok(earlier === undefined || earlier === value, `${key} was ${earlier} first and ${value} later`);
      this.#given.set(key, value);
    }
  }

  /** The values that an instance has been given, in the order of its steps' names. */
  valuesOf(id: string): number[] {
    return [...this.#given].filter(([key]) => key.startsWith(`${id} `)).map(([, value]) => value);
  }
}

export interface Campaign {
  readonly kills: number;
  /** A process that runs the workflows. */
  start(): Child;
  /** Instead of a process of the pair, sometimes: kills something else, and brings it back. */
  readonly killOther?: (rng: Rng) => Promise<void>;
}

/** Two processes, of which one after the other is killed while both work. */
export async function campaign(
  t: TestContext,
  cleaning: { after(cleanUp: () => Promise<void>): void },
  { kills, start, killOther }: Campaign,
): Promise<void> {
  const seed = seedOfRun();
  const rng = rngOf(seed);
  t.diagnostic(`seed ${seed}, ${kills} kills`);
  const ledger = new Ledger();
  const dead: Child[] = [];
  const pair = [start(), start()];
  cleaning.after(async () => {
    await Promise.all(pair.map((child) => child.kill()));
  });
  await Promise.all(pair.map(ready));
  for (let kill = 0; kill < kills; kill++) {
    const victim = rng() < 0.5 ? 0 : 1;
    const child = pair[victim] as Child;
    const survivor = pair[1 - victim] as Child;
    // Both start the same instances: one makes each, the other is told that it is there.
    for (const each of [child, survivor]) tell(each, `start ${instancesPerWorkflow} k${kill}`);
    await said([child, survivor], Math.floor(rng() * 60));
    if (killOther && rng() < 0.3) {
      await killOther(rng);
    } else {
      await child.kill();
      dead.push(child);
      pair[victim] = start();
      await ready(pair[victim] as Child);
    }
  }
  await everyEnd(pair[0] as Child, kills);
  for (const child of [...dead, ...pair]) ledger.read(child);
  for (const { id, value } of resultsOf(pair[0] as Child)) {
    assert.deepEqual(ledger.valuesOf(id).toSorted(), [...value].toSorted(), id);
  }
}

/** Until these processes have said so many more lines together. */
async function said(children: readonly Child[], count: number): Promise<void> {
  const total = (): number => children.reduce((sum, { lines }) => sum + lines.length, 0);
  const goal = total() + count;
  await Promise.any(children.map((child) => child.line(() => total() >= goal)));
}

/** Until this process has been told the result of every instance. */
async function everyEnd(child: Child, kills: number): Promise<void> {
  const ids = Array.from({ length: kills }, (_, kill) =>
    workflowNames.flatMap((name) => Array.from({ length: instancesPerWorkflow }, (_, n) => `k${kill}-${name}-${n}`)),
  ).flat();
  for (const id of ids) tell(child, `result ${id}`);
  let results = 0;
  await child.line((line) => isResult(line) && ++results === ids.length);
}

function isResult(line: string): boolean {
  return line.startsWith('{"type":"result"');
}

function resultsOf({ lines }: Child): Result[] {
  return lines.filter(isResult).map((line) => JSON.parse(line) as Result);
}
