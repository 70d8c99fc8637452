// SPDX-License-Identifier: AGPL-3.0-or-later
// What the original's environment and our core's management tell of the same instance, held against each other.
import assert from "node:assert/strict";
import type { management } from "@runtara/protocol";
import { type Scene, type Status, type StatusWord, statusWords, upTo } from "./environment-scene.ts";

/** What the environment and our core tell of an instance must be the same. */
export async function statusOfBoth(scene: Scene, instanceId: string, wanted: StatusWord): Promise<Status> {
  const theirs = await scene.reaches(instanceId, wanted);
  const ours = await scene.core.management.getInstanceStatus({ instanceId });
  assert.deepEqual(facts(ours), { ...facts(theirs), status: wanted });
  return theirs;
}

function facts(told: Status | management.GetInstanceStatusResponse): object {
  return {
    status: statusWords[told.status],
    checkpointId: told.checkpointId,
    startedAtMs: told.startedAtMs,
    finishedAtMs: told.finishedAtMs,
    output: told.output === undefined ? undefined : Buffer.from(told.output).toString(),
    error: told.error,
  };
}

/** Ids of an instance's checkpoints, oldest first, which both list alike and read alike. */
export async function checkpointsOfBoth(scene: Scene, instanceId: string): Promise<string[]> {
  const theirs = await scene.environment.client.listCheckpoints({ instanceId });
  const ours = await scene.core.management.listCheckpoints({ instanceId, limit: 1_000 });
  assert.deepEqual(comparable(ours.checkpoints), comparable(theirs.checkpoints));
  assert.equal(ours.totalCount, theirs.totalCount);
  for (const { checkpointId } of theirs.checkpoints) {
    const [one, other] = await Promise.all([
      scene.environment.client.getCheckpoint({ instanceId, checkpointId }),
      scene.core.management.getCheckpoint({ instanceId, checkpointId }),
    ]);
    assert.deepEqual([Buffer.from(other.data), other.found], [Buffer.from(one.data), true]);
  }
  return ours.checkpoints.map((row) => row.checkpointId).reverse();
}

type ListedCheckpoint = Pick<management.CheckpointSummary, "checkpointId" | "createdAtMs" | "dataSizeBytes">;

/** Those of the same time, which the original lists in any order, by id. */
function comparable(listed: readonly ListedCheckpoint[]): unknown {
  const sorted = listed.toSorted(
    (a, b) => Number(b.createdAtMs - a.createdAtMs) || (a.checkpointId < b.checkpointId ? -1 : 1),
  );
  return {
    times: listed.map((row) => row.createdAtMs),
    rows: sorted.map((row) => [row.checkpointId, row.createdAtMs, row.dataSizeBytes]),
  };
}

/** As the environment lists them, oldest first. */
export async function eventTypes(scene: Scene, instanceId: string): Promise<string[]> {
  const { events } = await scene.environment.client.listEvents({ instanceId });
  return events.map((event) => event.eventType).reverse();
}

/** Ids of the checkpoints of a plan that is nothing but steps. */
export function stepIds(count: number): string[] {
  return ["input", ...upTo(count).map((number) => `step-${number}`)];
}

/** What the program answered at its end. */
export function outputOf(status: Status): unknown {
  return JSON.parse(Buffer.from(status.output ?? "").toString());
}
