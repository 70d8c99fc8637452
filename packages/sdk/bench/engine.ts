// Microseconds per step of the run engine alone: values, envelopes, turns and ordered delivery, with a history that acknowledges at the end of
// each round, as a store on fast memory would.
//   node --conditions=runtara-src packages/sdk/bench/engine.ts [--seconds N] [--json]
import { parseArgs } from "node:util";
import { step, workflow } from "../src/index.ts";
import type { RunOptions } from "../src/run/control.ts";
import type { OutgoingEntry } from "../src/run/entries.ts";
import { writeEnvelope } from "../src/run/envelope.ts";
import { Gate } from "../src/run/gate.ts";
import type { History, SaveListener } from "../src/run/history.ts";
import { ListReplay } from "../src/run/list-replay.ts";
import { Run } from "../src/run/run.ts";
import { systemClock } from "../src/run/timers.ts";
import { createRounds } from "../src/runtime/rounds.ts";
import { definitionOf, stepPolicyOf } from "../src/workflow.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "2" }, json: { type: "boolean", default: false } },
});
const seconds = Number(values.seconds);
const result = {
  total: 7,
  items: [
    { id: "a", price: 12.5 },
    { id: "b", price: 3 },
  ],
  note: "a result of some 100 bytes, as steps have",
};
const steps = workflow("bench", async (input: { count: number; value: unknown }) => {
  for (let index = 0; index < input.count; index++) await step("charge", () => input.value as number);
});
const definition = definitionOf(steps);
const rounds = createRounds(() => {});
const gate = new Gate(256);
const silence = (): void => {};
const logger = { debug: silence, info: silence, warn: silence, error: silence };
const listener = { wants: silence, idle: silence, busy: silence, event: silence, isDetailed: false };

/** Keeps nothing but, if asked, the text of each entry. */
class RoundHistory implements History {
  readonly isSparse = false;
  readonly replay: ListReplay<Row> | undefined;
  readonly kept: Row[] | undefined;
  chars = 0;
  #batch: { entry: OutgoingEntry; listener: SaveListener }[] = [];

  constructor(keeps: boolean, rows: readonly Row[] | undefined) {
    this.kept = keeps ? [] : undefined;
    this.replay = rows && new ListReplay(rows, ({ text }) => text, 0);
  }

  save(entry: OutgoingEntry, listener: SaveListener): void {
    const text = writeEnvelope(entry.head, entry.outcome, entry.payload);
    this.chars += text.length;
    this.kept?.push({ id: entry.id, seq: entry.head.seq, text });
    if (this.#batch.push({ entry, listener }) === 1) rounds.add(this);
  }

  flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    for (const { entry, listener } of batch) listener.saved(entry);
  }

  send = silence;
  find = (): Promise<undefined> => Promise.resolve(undefined);
  retryOf = (): undefined => undefined;
  recordRetry = (): Promise<void> => Promise.resolve();
  startChild = (): Promise<void> => Promise.resolve();
  heartbeat = silence;
}

interface Row {
  readonly id: string;
  readonly seq: number;
  readonly text: string;
}

function optionsOf(history: History, input: unknown): RunOptions {
  return {
    facts: {
      workflow: "bench",
      version: undefined,
      instanceId: "i",
      tenantId: "t",
      run: 1,
      startedAt: Date.now(),
      seed: "s",
      signals: {},
      published: {},
    },
    body: definition.body as RunOptions["body"],
    input,
    stepPolicy: stepPolicyOf(definition),
    history,
    clock: systemClock,
    gate,
    logger,
    drainMs: 0,
    inbox: [],
    readPayload: () => undefined,
    outside: { sendSignal: () => Promise.resolve(), cancelInstance: () => Promise.resolve() },
    listener,
    guard: false,
    strictTurns: false,
    makeTurns: rounds.makeTurns,
  };
}

async function run(
  count: number,
  value: unknown,
  more: { keeps?: boolean; rows?: readonly Row[] } = {},
): Promise<Row[]> {
  const history = new RoundHistory(more.keeps ?? false, more.rows);
  const end = await new Run(optionsOf(history, { count, value })).start();
  if (end.is !== "returned") throw new Error(`the run ended as ${end.is}`);
  return history.kept ?? [];
}

interface Figure {
  what: string;
  steps: number;
  microsecondsPerStep: number;
  /** The best round: what is left of the figure on a busy machine. */
  bestMicrosecondsPerStep: number;
  /** Of this process. */
  cpuMicrosecondsPerStep: number;
}

/** Repeats until the time is up; the first round only warms up. */
async function measure(what: string, stepsPerRound: number, round: () => Promise<unknown>): Promise<Figure> {
  await round();
  const begin = performance.now();
  const cpuBegin = process.cpuUsage();
  let count = 0;
  let best = Number.POSITIVE_INFINITY;
  while (performance.now() - begin < seconds * 1_000) {
    const roundBegin = performance.now();
    await round();
    best = Math.min(best, performance.now() - roundBegin);
    count += stepsPerRound;
  }
  const elapsedMs = performance.now() - begin;
  const cpu = process.cpuUsage(cpuBegin);
  return {
    what,
    steps: count,
    microsecondsPerStep: (elapsedMs * 1_000) / count,
    bestMicrosecondsPerStep: (best * 1_000) / stepsPerRound,
    cpuMicrosecondsPerStep: (cpu.user + cpu.system) / count,
  };
}

/** The first and the last thousand steps of one run. */
async function flatness(): Promise<Figure[]> {
  const [width, late] = [1_000, 10_000];
  const marks: { at: number; cpu: NodeJS.CpuUsage }[] = [];
  const marked = workflow("marked", async () => {
    for (let index = 0; index <= late; index++) {
      if (index % width === 0) marks.push({ at: performance.now(), cpu: process.cpuUsage() });
      await step("charge", () => result);
    }
  });
  const body = definitionOf(marked).body as RunOptions["body"];
  const runs = 20;
  const sums = new Map<number, { ms: number; best: number; cpu: number }>();
  for (let count = 0; count < runs; count++) {
    marks.length = 0;
    await new Run({ ...optionsOf(new RoundHistory(false, undefined), undefined), body }).start();
    for (const [index, to] of marks.entries()) {
      const from = marks[index - 1];
      if (!from) continue;
      const sum = sums.get(index) ?? { ms: 0, best: Number.POSITIVE_INFINITY, cpu: 0 };
      const ms = to.at - from.at;
      const cpu = to.cpu.user + to.cpu.system - from.cpu.user - from.cpu.system;
      sums.set(index, { ms: sum.ms + ms, best: Math.min(sum.best, ms), cpu: sum.cpu + cpu });
    }
  }
  return [1, late / width].map((index) => {
    const { ms, best, cpu } = sums.get(index) ?? { ms: 0, best: 0, cpu: 0 };
    return {
      what: `one run, steps ${(index - 1) * width} to ${index * width}`,
      steps: runs * width,
      microsecondsPerStep: (ms * 1_000) / runs / width,
      bestMicrosecondsPerStep: (best * 1_000) / width,
      cpuMicrosecondsPerStep: cpu / runs / width,
    };
  });
}

const many = (workflows: number, count: number, value: unknown) => () =>
  Promise.all(Array.from({ length: workflows }, () => run(count, value)));
const rows = await run(10_000, result, { keeps: true });
const figures = [
  await measure("one workflow, one step after another", 2_000, many(1, 2_000, result)),
  await measure("64 workflows at once", 64 * 200, many(64, 200, result)),
  await measure("64 workflows at once, results of one number", 64 * 200, many(64, 200, 7)),
  await measure("replay of 10,000 steps", 10_000, () => run(10_000, result, { rows })),
  ...(await flatness()),
];
if (values.json) console.log(JSON.stringify(figures));
else {
  for (const { what, microsecondsPerStep, bestMicrosecondsPerStep, cpuMicrosecondsPerStep } of figures) {
    const [mean, best, cpu] = [microsecondsPerStep, bestMicrosecondsPerStep, cpuMicrosecondsPerStep].map((figure) =>
      figure.toFixed(2),
    );
    console.log(`${what}: ${mean} µs per step (best round ${best}, CPU ${cpu})`);
  }
}
