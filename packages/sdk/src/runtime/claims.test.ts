import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClaimedWork } from "../ports/source.ts";
import { Claims } from "./claims.ts";
import { Persistence } from "./persistence.ts";
import { ScriptedSource, workOf } from "./testing/scripted-source.ts";
import { away, HandRounds, settle, silentLogger, TestClock } from "./testing/setup.ts";

function setUp(capacity: number) {
  const clock = new TestClock();
  const source = new ScriptedSource(clock);
  const rounds = new HandRounds();
  const got: ClaimedWork[] = [];
  const room = { capacity };
  const claims = new Claims({
    source,
    rounds,
    persistence: new Persistence(clock, silentLogger),
    offers: () => [{ name: "w", versions: [] }],
    capacity: () => room.capacity,
    onWork: (work) => {
      got.push(...work);
      room.capacity -= work.length;
    },
  });
  const asked = () => source.claims.map(({ request }) => [request.capacity, request.received]);
  return { clock, source, rounds, got, room, claims, asked };
}

test("nothing is claimed before there is something to offer", () => {
  const { rounds, claims, asked } = setUp(10);
  claims.update();
  rounds.end();
  assert.deepEqual(asked(), []);
  claims.offersChanged();
  claims.offersChanged();
  rounds.end();
  assert.deepEqual(asked(), [[10, 0]]);
});

test("an answer is confirmed by the next claim, which asks for what room is left", async () => {
  const { source, rounds, got, claims, asked } = setUp(10);
  claims.offersChanged();
  rounds.end();
  source.claims[0]?.answer({ sequence: 4, work: [workOf("a"), workOf("b")] });
  await settle();
  rounds.end();
  assert.deepEqual(
    got.map(({ instanceId }) => instanceId),
    ["a", "b"],
  );
  assert.deepEqual(asked(), [
    [10, 0],
    [8, 4],
  ]);
});

test("a claim stays open while there is little more room than it says", async () => {
  const { rounds, room, claims, asked } = setUp(10);
  claims.offersChanged();
  rounds.end();
  for (const capacity of [11, 15, 20, 21]) {
    room.capacity = capacity;
    claims.update();
    rounds.end();
  }
  assert.deepEqual(asked(), [
    [10, 0],
    [21, 0],
  ]);
});

test("without room nothing is claimed until there is some", async () => {
  const { source, rounds, room, claims, asked } = setUp(1);
  claims.offersChanged();
  rounds.end();
  source.claims[0]?.answer({ sequence: 1, work: [workOf("a")] });
  await settle();
  rounds.end();
  assert.equal(source.claims.length, 1);
  room.capacity = 1;
  claims.update();
  rounds.end();
  assert.deepEqual(asked(), [
    [1, 0],
    [1, 1],
  ]);
});

test("trouble is waited out", async () => {
  const { clock, source, rounds, claims, asked } = setUp(5);
  claims.offersChanged();
  rounds.end();
  source.claims[0]?.fail(away());
  await settle();
  claims.update();
  rounds.end();
  assert.equal(source.claims.length, 1);
  await clock.pass(1_000);
  rounds.end();
  assert.deepEqual(asked(), [
    [5, 0],
    [5, 0],
  ]);
});

test("the end takes what is just being given, and asks for nothing more", async () => {
  const { source, rounds, got, claims, asked } = setUp(5);
  claims.offersChanged();
  rounds.end();
  const ended = claims.end();
  assert.deepEqual(asked(), [
    [5, 0],
    [0, 0],
  ]);
  source.claims[0]?.answer({ sequence: 1, work: [workOf("late")] });
  source.claims[1]?.answer({ sequence: 1, work: [] });
  await ended;
  rounds.end();
  assert.deepEqual(
    got.map(({ instanceId }) => instanceId),
    ["late"],
  );
  assert.equal(source.claims.length, 2);
});
