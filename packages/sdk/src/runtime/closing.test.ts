import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { Closing } from "./closing.ts";
import { settle, TestClock } from "./testing/setup.ts";

class Member {
  readonly told: string[] = [];
  readonly #ends: "at once" | "when forced" | "never";
  readonly #remove: (member: Member) => void;
  constructor(ends: "at once" | "when forced" | "never", remove: (member: Member) => void) {
    this.#ends = ends;
    this.#remove = remove;
  }
  close(force: boolean): void {
    this.told.push(force ? "force" : "ask");
    if (this.#ends === "at once" || (force && this.#ends === "when forced")) this.#remove(this);
  }
  vanish(): void {
    this.told.push("vanish");
    this.#remove(this);
  }
}

function setUp(...ends: ConstructorParameters<typeof Member>[0][]) {
  const clock = new TestClock();
  const members = new Set<Member>();
  for (const end of ends) members.add(new Member(end, (member) => members.delete(member)));
  const all = [...members];
  let isOver = false;
  const closing = new Closing(clock, () => [...members]);
  const run = (drainMs: number): void => {
    void closing.run(drainMs).then(() => {
      isOver = true;
    });
  };
  return { clock, all, run, isOver: () => isOver };
}

test("nobody there: it is over at once", async () => {
  const { run, isOver } = setUp();
  run(1_000);
  await settle();
  assert.ok(isOver());
});

test("those who can end do so at once, the others when their time is up", async () => {
  const { clock, all, run, isOver } = setUp("at once", "when forced");
  run(1_000);
  await settle();
  assert.deepEqual(
    all.map(({ told }) => told.length),
    [1, 1],
  );
  await clock.pass(900);
  assert.ok(!isOver() && !all[1]?.told.includes("force"));
  await clock.pass(200);
  assert.ok(isOver());
  assert.equal(all[1]?.told.at(-1), "force");
});

test("who can't be written down even then is left as after a crash", async () => {
  const { clock, all, run, isOver } = setUp("never");
  run(100);
  await clock.pass(limits.closingMs);
  assert.ok(!isOver());
  await clock.pass(200);
  assert.ok(isOver());
  assert.equal(all[0]?.told.at(-1), "vanish");
});
