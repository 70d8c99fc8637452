import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClaimedWork } from "../ports/source.ts";
import { type Member, Pool } from "./pool.ts";
import { workOf } from "./testing/scripted-source.ts";

class Fake implements Member {
  readonly instanceId: string;
  readonly epoch: number;
  isGone = false;
  isSuspending = false;
  constructor({ instanceId, facts }: ClaimedWork) {
    this.instanceId = instanceId;
    this.epoch = facts.epoch;
  }
  suspendNow(): boolean {
    this.isSuspending = true;
    return true;
  }
  fence(): void {
    this.isGone = true;
    this.onGone();
  }
  onGone: () => void = () => {};
}

function setUp(membersMax: number) {
  const idle: Fake[] = [];
  const admitted: Fake[] = [];
  const handedBack: string[] = [];
  const pool = new Pool<Fake>({
    membersMax,
    endedMax: 3,
    evictableMax: 2,
    idle: () => idle.filter(({ isSuspending, isGone }) => !isSuspending && !isGone),
    admit: (work) => {
      const member = new Fake(work);
      member.onGone = () => pool.remove(member);
      admitted.push(member);
      return member;
    },
    handBack: (work) => handedBack.push(...work.map(({ instanceId }) => instanceId)),
  });
  const ids = () => pool.all().map(({ instanceId }) => instanceId);
  return { pool, idle, admitted, handedBack, ids };
}

const works = (...ids: string[]): ClaimedWork[] => ids.map((id) => workOf(id));

test("never more than its bound are in memory: of those claimed beyond it, the longest idle make room", () => {
  const { pool, idle, admitted, ids } = setUp(2);
  pool.take(works("a", "b"));
  idle.push(...([admitted[1], admitted[0]] as Fake[]));
  assert.equal(pool.capacity, 2);
  pool.take(works("c"));
  assert.deepEqual([ids(), pool.waiting], [["a", "b"], 1]);
  assert.deepEqual(
    admitted.map(({ isSuspending }) => isSuspending),
    [false, true],
  );
  assert.equal(pool.capacity, 1, "one more could be put away");
  pool.remove(admitted[1] as Fake);
  assert.deepEqual([ids(), pool.waiting], [["a", "c"], 0]);
});

test("one that goes on instead makes no room: another does, or the work goes to others", () => {
  const { pool, idle, admitted, handedBack, ids } = setUp(2);
  pool.take(works("a", "b"));
  idle.push(...admitted);
  pool.take(works("c"));
  const [a, b] = admitted as [Fake, Fake];
  assert.deepEqual([a.isSuspending, b.isSuspending], [true, false]);
  pool.stayed(a);
  assert.equal(b.isSuspending, true);
  pool.stayed(b);
  assert.deepEqual([ids(), handedBack, pool.waiting], [["a", "b"], ["c"], 0]);
});

test("nobody idle: no capacity", () => {
  const { pool } = setUp(2);
  assert.equal(pool.capacity, 2);
  pool.take(works("a", "b"));
  assert.equal(pool.capacity, 0);
});

test("what runs here already, or has run here under this epoch, is dropped", () => {
  const { pool, admitted } = setUp(5);
  pool.take(works("a", "b"));
  pool.take(works("a"));
  pool.remove(admitted[1] as Fake);
  pool.take(works("b"));
  assert.equal(admitted.length, 2);
});

test("what this process has claimed anew ends its earlier life", () => {
  const { pool, admitted } = setUp(5);
  pool.take(works("a"));
  pool.take([workOf("a", { epoch: 2 })]);
  assert.deepEqual(
    admitted.map(({ epoch, isGone }) => [epoch, isGone]),
    [
      [1, true],
      [2, false],
    ],
  );
  assert.equal(pool.get("a")?.epoch, 2);
});

test("ends are remembered up to a bound", () => {
  const { pool, admitted } = setUp(1);
  for (const id of ["a", "b", "c", "d"]) {
    pool.take(works(id));
    pool.remove(admitted.at(-1) as Fake);
  }
  pool.take(works("d"));
  assert.equal(admitted.length, 4);
  pool.take(works("a"));
  assert.equal(admitted.length, 5);
});
