import type { InstanceStatus, Operation } from "@runtara/store";
import type { RandomWorld } from "./random-world.ts";

/** An operation that only reads; often the next page of an earlier one. */
export function randomReads(world: RandomWorld): Operation {
  const { random } = world;
  if (random.chance(25)) {
    const next = world.nextPage();
    if (next !== undefined) return next;
  }
  return random.weighted(random.chance(50) ? ofInstances : ofOne)(world);
}

type Make = (world: RandomWorld) => Operation;

const ofOne: readonly (readonly [number, Make])[] = [
  [6, readInstance],
  [3, (world) => ({ kind: "loadCheckpoint", instanceId: world.id(), ...world.tenant(), checkpointId: anyId(world) })],
  [2, (world) => ({ kind: "readPublished", instanceId: world.id(), ...world.tenant() })],
  [4, (world) => ({ kind: "listHistory", instanceId: world.id(), ...page(world), bytesMax: bytesMax(world) })],
  [3, (world) => ({ kind: "readChanges", instanceId: world.id(), limit: limit(world), bytesMax: bytesMax(world) })],
  [3, listOwnCheckpoints],
  [3, listCheckpoints],
  [3, listEvents],
];
const ofInstances: readonly (readonly [number, Make])[] = [
  [3, listInstances],
  [3, queryInstances],
  [4, readSignals],
  [1, () => ({ kind: "checkHealth" })],
];

function listInstances(world: RandomWorld): Operation {
  const { random } = world;
  return {
    kind: "listInstances",
    ...(random.chance(50) ? { tenantId: random.pick(["t", "u"]) } : {}),
    ...(random.chance(40) ? { status: random.pick(["pending", "running", "suspended", "completed"] as const) } : {}),
    ...page(world),
  };
}

function queryInstances(world: RandomWorld): Operation {
  const { random, nowMs } = world;
  return {
    kind: "queryInstances",
    tenantId: "t",
    ...(random.chance(40) ? { workflow: "w" } : {}),
    statuses: random.pick<readonly InstanceStatus[]>([[], [], ["running", "failed"], ["completed", "pending"]]),
    ...(random.chance(30) ? { createdAfterMs: nowMs - 2 * random.below(20_000) } : {}),
    ...(random.chance(30) ? { createdBeforeMs: nowMs - 2 * random.below(20_000) } : {}),
    tags: random.chance(30) ? { tag: "1" } : {},
    ...page(world),
  };
}

function readSignals(world: RandomWorld): Operation {
  const { random } = world;
  const ids = new Set([world.id(), world.id(), world.id()]);
  const interests = Array.from(ids, (instanceId) => ({
    instanceId,
    epoch: world.epoch(instanceId),
    names: ["n0", "n1"],
    afterSignalId: random.chance(50) ? (world.signal(instanceId) ?? 0) : 0,
    ...(random.chance(30) ? { seenSignal: random.pick(["pause", "cancel"] as const) } : {}),
  }));
  return { kind: "readSignals", interests, bytesMax: 1_000_000 };
}

function readInstance(world: RandomWorld): Operation {
  const withStart = world.random.chance(30) ? { withStart: true } : {};
  return { kind: "readInstance", instanceId: world.id(), ...world.tenant(), ...withStart };
}

function listCheckpoints(world: RandomWorld): Operation {
  const one = world.random.chance(20) ? { checkpointId: anyId(world) } : {};
  return {
    kind: "listCheckpoints",
    instanceId: world.id(),
    ...world.tenant(),
    ...one,
    ...bounds(world),
    ...page(world),
  };
}

function listEvents(world: RandomWorld): Operation {
  const { random } = world;
  return {
    kind: "listEvents",
    instanceId: world.id(),
    ...world.tenant(),
    ...(random.chance(30) ? { type: random.pick(["custom", "suspended", "started"] as const) } : {}),
    ...(random.chance(20) ? { subtype: random.pick(["sub", "told", "released"]) } : {}),
    ...bounds(world),
    ...page(world),
  };
}

function listOwnCheckpoints(world: RandomWorld): Operation {
  const { random } = world;
  const instanceId = world.id();
  return {
    kind: "listOwnCheckpoints",
    instanceId,
    epoch: world.epoch(instanceId),
    ...(random.chance(40) ? { behind: anyId(world) } : {}),
    prefix: random.pick(["", "", "c1", "c2"]),
    stateBytesMax: random.pick([0, 10, 1_000]),
    pageBytesMax: random.pick([1, 20, 1_000]),
  };
}

function bounds({ random, nowMs }: RandomWorld): {
  readonly createdAfterMs?: number;
  readonly createdBeforeMs?: number;
} {
  return {
    ...(random.chance(30) ? { createdAfterMs: nowMs - 2 * random.below(20_000) } : {}),
    ...(random.chance(30) ? { createdBeforeMs: nowMs - 2 * random.below(20_000) } : {}),
  };
}

function page(world: RandomWorld): { readonly limit: number; readonly offset?: number } {
  return world.random.chance(20) ? { limit: limit(world), offset: world.random.below(5) } : { limit: limit(world) };
}

function limit({ random }: RandomWorld): number {
  return random.pick([0, 1, 2, 5, 100]);
}

function bytesMax({ random }: RandomWorld): number {
  return random.pick([0, 8, 1_000]);
}

function anyId({ random }: RandomWorld): string {
  return random.chance(20) ? `c${random.below(40)}::retry::${random.below(3)}` : `c${random.below(40)}`;
}
