import type {
  AnyHandle,
  AnyWorkflow,
  Args,
  Client,
  ClientConnection,
  Duration,
  EngineEvent,
  Handle,
  InputOf,
  InstanceSummary,
  ListFilter,
  Logger,
  OutputOf,
  Schedules,
  StartOptions,
  StepContext,
} from "@runtara/sdk/testing";
import { durationMs, isWorkflow, openClient } from "@runtara/sdk/testing";
import { Disk } from "./disk.ts";
import type { Commit, CrashPoint } from "./dying-store.ts";
import { impatient } from "./impatient.ts";
import { Life } from "./life.ts";
import { limits } from "./limits.ts";
import { newSeed, type Random, randomOf } from "./random.ts";
import { Recorder } from "./recorder.ts";
import { Shuffle } from "./shuffle.ts";
import { SkippingClock } from "./skipping-clock.ts";
import { stepsOf } from "./steps.ts";
import type { StepSummary, TestOptions, TestRuntime } from "./types.ts";

export interface KitOptions extends TestOptions {
  /** Where the first, second, … process dies, counted in its own commits. */
  readonly crashes?: readonly CrashPoint[];
  /** Bodies and answers of the store end in an order that this seed decides. */
  readonly shuffleSeed?: number;
  /** No process before `begin`. */
  readonly isHeld?: boolean;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The test runtime: a disk and a clock that stay, and one process after the other. */
export class Kit implements TestRuntime {
  readonly seed: number;
  readonly tenantId: string = "test";
  readonly recorder: Recorder = new Recorder();
  readonly disk: Disk;
  readonly clock: SkippingClock;
  readonly #connection: ClientConnection;
  readonly #client: Client;
  readonly #random: Random;
  readonly #shuffle: Shuffle | undefined;
  readonly #logger: Logger;
  readonly #workflows = new Set<AnyWorkflow>();
  readonly #fakes = new Map<string, (s: StepContext) => unknown>();
  readonly #crashes: CrashPoint[];
  readonly #crashesById: CrashPoint[] = [];
  #life: Life | undefined;
  #lives = 0;
  #takeOver: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: KitOptions) {
    this.seed = options.seed ?? newSeed();
    this.#random = randomOf(this.seed);
    this.#shuffle = options.shuffleSeed === undefined ? undefined : new Shuffle(randomOf(options.shuffleSeed));
    this.#logger = options.logger ?? silent;
    this.#crashes = [...(options.crashes ?? [])];
    this.disk = new Disk(this.seed);
    this.clock = new SkippingClock((options.startAt ?? new Date("2026-01-01T00:00:00Z")).getTime());
    this.#connection = openClient({
      store: this.disk,
      tenantId: this.tenantId,
      clock: this.clock.face("housekeeping"),
      onStart: (workflow) => this.#add(workflow),
    });
    this.#client = this.#connection.client;
    for (const workflow of options.workflows) this.#workflows.add(workflow);
    if (options.isHeld !== true) this.begin();
  }

  /** Starts the first process. */
  begin(): void {
    if (this.#life === undefined) this.#startLife();
  }

  // ---- the client

  async start<W extends AnyWorkflow>(workflow: W, ...args: Args<InputOf<W>, StartOptions>): Promise<Handle<W>> {
    return impatient(await this.#client.start(workflow, ...args), this);
  }

  async run<W extends AnyWorkflow>(workflow: W, ...args: Args<InputOf<W>, StartOptions>): Promise<OutputOf<W>> {
    return (await this.start(workflow, ...args)).result();
  }

  get<W extends AnyWorkflow>(workflow: W, id: string): Handle<W> {
    return impatient(this.#client.get(workflow, id), this);
  }

  list(filter?: ListFilter): AsyncIterable<InstanceSummary> {
    return this.#client.list(filter);
  }

  get schedules(): Schedules {
    return this.#client.schedules;
  }

  steps(handle: AnyHandle): Promise<readonly StepSummary[]> {
    return stepsOf(this.#client, handle);
  }

  // ---- time

  async advance(by: Duration): Promise<void> {
    const endMs = this.clock.now() + durationMs(by, "advance");
    await this.idle();
    while (this.clock.now() < endMs) await this.#jump(endMs);
  }

  /** Jumps to the next thing that is due; false: nothing ever is, and whoever had nothing to do has gone to sleep. */
  async next(): Promise<boolean> {
    await this.idle();
    return this.#jump(Number.POSITIVE_INFINITY);
  }

  async idle(): Promise<void> {
    let [moves, stillTurns, stillSinceMs] = [-1, 0, 0];
    for (let quietTurns = 0; quietTurns < limits.quietTurns; ) {
      if (stillTurns < limits.stillTurnsMax) {
        await new Promise((resolve) => setImmediate(resolve));
      } else {
        // A body takes its time.
        if (performance.now() - stillSinceMs > limits.bodyMsMax) throw this.#tooLong();
        await new Promise((resolve) => setTimeout(resolve, limits.lookMs));
      }
      quietTurns = this.isQuiet ? quietTurns + 1 : 0;
      if (this.moves === moves) stillTurns += 1;
      else [moves, stillTurns, stillSinceMs] = [this.moves, 0, performance.now()];
    }
  }

  /** How often something has begun to move. */
  get moves(): number {
    return (this.#life?.begun ?? 0) + this.disk.operations;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Nothing is under way. */
  get isQuiet(): boolean {
    const { isBusy = false } = this.#life ?? {};
    return !isBusy && this.#takeOver === undefined && this.disk.underWay === 0 && !this.clock.isDue;
  }

  get #nextStopMs(): number | undefined {
    const nowMs = this.clock.now();
    const [timerMs, dueMs] = [this.clock.nextStopMs, this.disk.due.next(nowMs)];
    if (timerMs === undefined || dueMs === undefined) return timerMs ?? dueMs;
    return Math.min(timerMs, dueMs);
  }

  /** One jump, at most to `endMs`; before a long one those who have nothing to do get the time to go to sleep. False: there is nothing to
   *  jump to. */
  async #jump(endMs: number): Promise<boolean> {
    // Who dies on the way to sleep is replaced by one that has to go there, too.
    for (let lives = 0; lives !== this.#lives && this.#isFar(endMs); ) {
      lives = this.#lives;
      this.clock.jump(Math.min(this.clock.now() + limits.restMs, endMs));
      await this.idle();
    }
    // Going to sleep may have brought something nearer, or have been the last thing to do.
    const targetMs = Math.min(this.#nextStopMs ?? Number.POSITIVE_INFINITY, endMs);
    if (targetMs === Number.POSITIVE_INFINITY) return false;
    this.clock.jump(targetMs);
    await this.idle();
    return true;
  }

  /** Somebody is in memory, and nothing is due for so long that in between it would be put away. */
  #isFar(endMs: number): boolean {
    const stopMs = Math.min(this.#nextStopMs ?? Number.POSITIVE_INFINITY, endMs);
    return (this.#life?.residents ?? 0) > 0 && stopMs > this.clock.now() + limits.suspendAfterMs;
  }

  // ---- bodies and crashes

  fake(step: string, body: (s: StepContext) => unknown): void {
    this.#fakes.set(step, body);
  }

  async crash(): Promise<void> {
    const life = this.#life;
    if (life === undefined || life.store.isDead) return this.#takeOver;
    life.store.kill(() => this.#random.next() < 0.5);
    this.#replace(life);
    await this.#takeOver;
  }

  crashAfter(id: string): void {
    this.#crashesById.push({ at: id, when: "after" });
  }

  crashBefore(id: string): void {
    this.#crashesById.push({ at: id, when: "before" });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#takeOver;
    this.#life?.close();
    await this.#connection.close();
    await this.disk.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ---- lives

  #add(workflow: AnyWorkflow): void {
    if (this.#workflows.has(workflow) || !isWorkflow(workflow)) return;
    this.#workflows.add(workflow);
    this.#life?.serve([workflow]);
  }

  #startLife(): void {
    const number = ++this.#lives;
    const point = this.#crashes.shift();
    const life: Life = new Life({
      disk: this.disk,
      clock: this.clock,
      tenantId: this.tenantId,
      number,
      logger: this.#logger,
      crashAt: (commit) => this.#crashAt(commit, point),
      onCommit: (commit) => this.recorder.committed(number, commit),
      onDeath: (commit, at) => {
        this.recorder.died(commit, at);
        this.#replace(life);
      },
      hooks: {
        body:
          ({ instanceId, id, name }, body) =>
          (s) =>
            this.#runBody(life, instanceId, id, name, body, s),
        // Waits are what the policy says, so that a test can count on them.
        jitter: () => 0,
      },
      onEvent: (_instanceId, event) => this.#onEvent(event),
      ...(this.#shuffle === undefined
        ? {}
        : { delay: (instanceId: string | undefined, answer: () => void) => this.#shuffle?.answer(instanceId, answer) }),
    });
    this.#life = life;
    life.serve([...this.#workflows].filter(isWorkflow));
  }

  #crashAt(commit: Commit, point: CrashPoint | undefined): CrashPoint | undefined {
    if (point?.at === commit.number) return point;
    const byId = this.#crashesById.findIndex(({ at }) => typeof at === "string" && commit.ids.includes(at));
    return byId < 0 ? undefined : this.#crashesById.splice(byId, 1)[0];
  }

  /** The dead one's stack may still be below: it is buried when that has ended. */
  #replace(life: Life): void {
    this.#takeOver = Promise.resolve()
      .then(() => life.bury())
      .then(() => {
        this.#takeOver = undefined;
        if (!this.#isClosed) this.#startLife();
      });
  }

  #runBody(
    life: Life,
    instanceId: string,
    id: string,
    name: string,
    body: (s: StepContext) => unknown,
    s: StepContext,
  ): unknown {
    // What a dead process would still begin never happens.
    if (life.store.isDead) return new Promise(() => {});
    this.recorder.began({ life: life.number, instanceId, id, attempt: s.attempt });
    const run = this.#fakes.get(id) ?? this.#fakes.get(name) ?? body;
    return this.#shuffle === undefined ? run(s) : this.#shuffle.body(() => run(s));
  }

  #onEvent(event: EngineEvent): void {
    if (event.type === "warning") this.recorder.warnings.push(event.message);
    else if (event.type === "abandoned") this.recorder.abandoned.push(...event.names);
    else if (event.type === "diverged") this.recorder.divergences.push(String(event.report));
  }

  #tooLong(): Error {
    return new Error(
      `a step's body has been running for ${limits.bodyMsMax / 1_000} s of real time; the clock of the test does not move meanwhile. Give it a body for the test: test.fake("name", () => …)`,
    );
  }
}
