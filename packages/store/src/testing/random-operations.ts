import type { Operation, OutgoingMessage } from "@runtara/store";
import { seed as instanceSeed } from "./harness.ts";
import { randomReads } from "./random-reads.ts";
import { randomSchedules } from "./random-schedules.ts";
import { RandomWorld } from "./random-world.ts";
import { bytes } from "./values.ts";

export interface RandomOptions {
  /** Instances at a time; ended ones are replaced by and by. Default 6. */
  readonly instances?: number;
}

/** An endless source of operations that a core could send. It goes by the answers that it is told of, and works without. */
export interface RandomOperations {
  next(): Operation;
  learn(operation: Operation, answer: unknown): void;
}

/** The same seed and answers give the same operations. Times move forwards; epochs, numbers and ids are mostly right, sometimes stale. */
export function randomOperations(seed: number, { instances = 6 }: RandomOptions = {}): RandomOperations {
  const world = new RandomWorld(seed, instances);
  return {
    next() {
      world.tick();
      return world.random.weighted(table)(world);
    },
    learn: (operation, answer) => world.learn(operation, answer),
  };
}

type Make = (world: RandomWorld) => Operation;

const starts: readonly (readonly [number, Make])[] = [
  [7, register],
  [7, start],
  [2, touch],
];
const checkpoints: readonly (readonly [number, Make])[] = [
  [8, save],
  [6, saveBatch],
  [3, publish],
  [3, recordRetry],
];
const life: readonly (readonly [number, Make])[] = [
  [6, appendEvent],
  [7, suspendUntil],
  [3, beginSleep],
  [2, endSleep],
];
const signals: readonly (readonly [number, Make])[] = [
  [3, poll],
  [5, acknowledge],
  [5, sendSignal],
  [6, sendCustomSignal],
  [4, control],
];
const work: readonly (readonly [number, Make])[] = [
  [7, claim],
  [4, renew],
  [3, release],
  [3, fireDue],
  [3, settle],
  [1, removeOld],
];
const table: readonly (readonly [number, Make])[] = [
  ...starts,
  ...checkpoints,
  ...life,
  ...signals,
  ...work,
  [6, randomSchedules],
  [24, randomReads],
];

function register(world: RandomWorld): Operation {
  const { random, nowMs } = world;
  return {
    kind: "registerInstance",
    instanceId: world.id(),
    tenantId: random.chance(95) ? "t" : "u",
    checkTenant: random.chance(30),
    ...(random.chance(10) ? { checkpointId: checkpointId(world) } : {}),
    seed: instanceSeed,
    nowMs,
    staleAfterMs: random.chance(50) ? 2_000 : 0,
  };
}

function start(world: RandomWorld): Operation {
  const { random, nowMs } = world;
  const parentId = world.id();
  return {
    kind: "startInstance",
    instanceId: world.id(),
    tenantId: random.chance(97) ? "t" : "u",
    ...(random.chance(80) ? { workflow: "w" } : {}),
    ...(random.chance(50) ? { version: "1" } : {}),
    ...(random.chance(30) ? { input: bytes("input") } : {}),
    tags: random.chance(30) ? { tag: `${random.below(3)}` } : {},
    ...(random.chance(20) ? { startAtMs: world.planned() } : {}),
    ...(random.chance(20) ? { timeoutMs: 1 + 2 * random.below(10_000) } : {}),
    ...(random.chance(40)
      ? {
          parent: {
            instanceId: parentId,
            epoch: world.epoch(parentId),
            detached: random.chance(30),
            ...(random.chance(60) ? { resultSignal: name(world) } : {}),
          },
        }
      : {}),
    seed: instanceSeed,
    nowMs,
  };
}

function touch(world: RandomWorld): Operation {
  const ids = new Set([world.id(), world.id()]);
  const seen = Array.from(ids, (instanceId) => ({ instanceId, ...world.stamp(instanceId), atMs: world.nowMs }));
  return { kind: "touchInstances", seen };
}

function save(world: RandomWorld): Operation {
  const instanceId = world.id();
  return {
    kind: "saveCheckpoint",
    instanceId,
    ...world.stamp(instanceId),
    checkpointId: checkpointId(world),
    state: bytes("s".repeat(world.random.below(20))),
    nowMs: world.nowMs,
  };
}

function saveBatch(world: RandomWorld): Operation {
  const { random } = world;
  const instanceId = world.id();
  const ids = new Set(Array.from({ length: random.below(4) }, () => checkpointId(world)));
  return {
    kind: "saveBatch",
    instanceId,
    epoch: world.epoch(instanceId),
    entries: Array.from(ids, (id) => {
      const consumed = random.chance(40) ? world.signal(instanceId) : undefined;
      return {
        checkpointId: id,
        state: bytes(`state ${random.below(9)}`),
        ...(consumed === undefined ? {} : { consumesSignalId: consumed }),
      };
    }),
    messages: messages(world),
    ...(random.chance(8) ? { beginsRun: 2 + random.below(2) } : {}),
    nowMs: world.nowMs,
  };
}

function publish(world: RandomWorld): Operation {
  const instanceId = world.id();
  return {
    kind: "publish",
    instanceId,
    epoch: world.epoch(instanceId),
    run: world.random.chance(85) ? 1 : 2,
    messages: messages(world),
    nowMs: world.nowMs,
  };
}

function messages({ random, nowMs }: RandomWorld): OutgoingMessage[] {
  const first = 1 + random.below(30);
  return Array.from({ length: random.below(4) }, (_, n) => ({
    number: first + n,
    content: random.chance(60)
      ? { kind: "published", key: `k${random.below(3)}`, value: bytes(`${random.below(100)}`) }
      : { kind: "event", subtype: "told", payload: bytes("payload"), createdAtMs: nowMs - random.below(100) },
  }));
}

function recordRetry(world: RandomWorld): Operation {
  const { random } = world;
  const instanceId = world.id();
  return {
    kind: "recordRetry",
    instanceId,
    ...world.stamp(instanceId),
    checkpointId: checkpointId(world),
    attempt: random.below(4) - 1,
    ...(random.chance(50) ? { error: "boom" } : {}),
    ...(random.chance(60) ? { nextAtMs: world.planned() } : {}),
    nowMs: world.nowMs,
  };
}

function appendEvent(world: RandomWorld): Operation {
  const { random, nowMs } = world;
  const instanceId = world.id();
  const type = random.weighted([
    [5, "heartbeat"],
    [4, "custom"],
    [3, "completed"],
    [2, "failed"],
    [10, "suspended"],
  ] as const);
  const reason = type === "suspended" ? random.pick([undefined, undefined, "paused", "diverged"] as const) : undefined;
  return {
    kind: "appendEvent",
    instanceId,
    ...world.stamp(instanceId),
    type,
    ...(random.chance(40) ? { payload: bytes(random.chance(80) ? '{"a":1}' : "no JSON") } : {}),
    ...(random.chance(30) ? { subtype: "sub" } : {}),
    ...(random.chance(50) ? { output: bytes('"out"'), error: "error", failure: bytes("[]") } : {}),
    ...(reason === undefined ? {} : { reason }),
    createdAtMs: nowMs - random.below(200),
    nowMs,
  };
}

function suspendUntil(world: RandomWorld): Operation {
  const { random } = world;
  const instanceId = world.id();
  const recorded = random.pick([undefined, undefined, "cancel", "cancel", "pause"] as const);
  return {
    kind: "suspendUntil",
    instanceId,
    epoch: world.epoch(instanceId),
    ...(random.chance(60) ? { untilMs: world.planned() } : {}),
    names: [...new Set(Array.from({ length: random.below(3) }, () => name(world)))],
    ...(recorded === undefined ? {} : { recordedSignal: recorded }),
    afterSignalId: random.chance(70) ? (world.signal(instanceId) ?? 0) : 0,
    bytesMax: random.chance(80) ? 1_000_000 : 3,
    nowMs: world.nowMs,
  };
}

function beginSleep(world: RandomWorld): Operation {
  const instanceId = world.id();
  const durationMs = 1 + 2 * world.random.below(500);
  const sleep = { checkpointId: checkpointId(world), state: bytes("asleep"), durationMs };
  return { kind: "beginSleep", instanceId, ...world.stamp(instanceId), ...sleep, nowMs: world.nowMs };
}

function endSleep(world: RandomWorld): Operation {
  const instanceId = world.id();
  const ordinal = 1 + world.random.below(2);
  return { kind: "endSleep", instanceId, ...world.stamp(instanceId), checkpointId: checkpointId(world), ordinal };
}

function poll(world: RandomWorld): Operation {
  const instanceId = world.id();
  const asked = world.random.chance(60) ? { checkpointId: name(world) } : {};
  return { kind: "pollSignals", instanceId, ...world.stamp(instanceId), ...asked, nowMs: world.nowMs };
}

function acknowledge(world: RandomWorld): Operation {
  const instanceId = world.id();
  const signal = world.random.pick(["pause", "resume", "cancel"] as const);
  return { kind: "acknowledgeSignal", instanceId, ...world.stamp(instanceId), signal, nowMs: world.nowMs };
}

function sendSignal(world: RandomWorld): Operation {
  const { random } = world;
  const signal = random.pick(["pause", "resume", "cancel"] as const);
  const payload = random.chance(50) ? { payload: bytes(`${random.below(100)}`) } : {};
  return { kind: "sendSignal", instanceId: world.id(), ...world.tenant(), signal, ...payload, nowMs: world.nowMs };
}

function sendCustomSignal(world: RandomWorld): Operation {
  const { random } = world;
  return {
    kind: "sendCustomSignal",
    instanceId: world.id(),
    ...world.tenant(),
    name: name(world),
    ...(random.chance(70) ? { payload: bytes(`${random.below(100)}`) } : {}),
    queued: random.chance(70),
    ...(random.chance(30) ? { messageId: `m${random.below(6)}` } : {}),
    nowMs: world.nowMs,
  };
}

function control(world: RandomWorld): Operation {
  const { random } = world;
  const order = random.weighted([
    [4, "pause"],
    [4, "resume"],
    [2, "cancel"],
    [1, "kill"],
  ] as const);
  const text = random.chance(50) ? { text: "because" } : {};
  return { kind: "controlInstance", instanceId: world.id(), ...world.tenant(), order, ...text, nowMs: world.nowMs };
}

function claim(world: RandomWorld): Operation {
  const { random, nowMs } = world;
  const workerId = worker(world);
  return {
    kind: "claimWork",
    workerId,
    tenantId: "t",
    offers: [{ name: "w", versions: random.chance(80) ? ["1"] : [] }],
    capacity: random.chance(90) ? 50 : 0,
    received: world.received(workerId),
    leaseMs: 5_000,
    runningMax: 0,
    bytesMax: 1_000_000,
    nowMs,
  };
}

function renew(world: RandomWorld): Operation {
  return { kind: "renewLease", workerId: worker(world), leaseMs: 5_000, nowMs: world.nowMs };
}

function release(world: RandomWorld): Operation {
  const { random, nowMs } = world;
  const work = Array.from(new Set([world.id(), world.id()]), (instanceId) => ({
    instanceId,
    epoch: world.epoch(instanceId),
    handBack: random.chance(60),
    delayMs: world.planned() - nowMs,
    reason: random.chance(50) ? "draining" : "",
  }));
  return { kind: "releaseWork", workerId: worker(world), work, nowMs };
}

function fireDue({ random, nowMs }: RandomWorld): Operation {
  const listening = random.chance(10) ? { silentSinceMs: nowMs - 500 } : {};
  return { kind: "fireDue", nowMs, staleAfterMs: 2_000, ...listening, limit: 100 };
}

function settle({ nowMs }: RandomWorld): Operation {
  return { kind: "settleEnded", nowMs, limit: 100 };
}

function removeOld({ random, nowMs }: RandomWorld): Operation {
  const bound = (percent: number) => (random.chance(percent) ? nowMs - 2 * random.below(30_000) : undefined);
  const [instances, events, checkpoints] = [bound(30), bound(30), bound(30)];
  return {
    kind: "removeOld",
    ...(instances === undefined ? {} : { instancesEndedBeforeMs: instances }),
    ...(events === undefined ? {} : { eventsBeforeMs: events }),
    ...(checkpoints === undefined ? {} : { checkpointsBeforeMs: checkpoints }),
    limit: 100_000,
    nowMs,
  };
}

function checkpointId({ random }: RandomWorld): string {
  return random.chance(5) ? `c${random.below(6)}::retry::1` : `c${random.below(40)}`;
}

function name({ random }: RandomWorld): string {
  return `n${random.below(4)}`;
}

function worker({ random }: RandomWorld): string {
  return `worker ${random.below(2)}`;
}
