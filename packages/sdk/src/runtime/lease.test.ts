import assert from "node:assert/strict";
import { test } from "node:test";
import { Lease } from "./lease.ts";
import { Persistence } from "./persistence.ts";
import { ScriptedSource } from "./testing/scripted-source.ts";
import { away, settle, silentLogger, TestClock } from "./testing/setup.ts";

function setUp() {
  const clock = new TestClock();
  const source = new ScriptedSource(clock);
  const lost: string[] = [];
  const lease = new Lease(source, 6_000, new Persistence(clock, silentLogger), (ids) => lost.push(...ids));
  const renewed = async (): Promise<void> => {
    source.renewals.at(-1)?.answer({ lost: [] });
    await settle();
  };
  return { clock, source, lost, lease, renewed };
}

test("nothing is renewed before the first work, then every third of the lease, and a sign given each second", async () => {
  const { clock, source, lease, renewed } = setUp();
  await clock.pass(10_000);
  assert.deepEqual([source.renewals.length, source.signs], [0, 0]);
  lease.hold();
  lease.hold();
  for (let third = 1; third <= 3; third++) {
    await clock.pass(2_000);
    assert.equal(source.renewals.length, third);
    await renewed();
  }
  assert.ok(source.signs >= 6, `${source.signs} signs in 6 s`);
  await lease.close();
  assert.ok(source.isKeeperClosed);
  await clock.pass(10_000);
  assert.equal(source.renewals.length, 3);
});

test("after a failure it is tried again sooner, well within the lease", async () => {
  const { clock, source, lease } = setUp();
  lease.hold();
  await clock.pass(2_000);
  for (let failures = 0; failures < 4; failures++) {
    source.renewals.at(-1)?.fail(away());
    await settle();
    await clock.pass(500);
  }
  assert.equal(source.renewals.length, 5);
});

test("what was lost is told", async () => {
  const { clock, source, lost, lease } = setUp();
  lease.hold();
  await clock.pass(2_000);
  source.renewals[0]?.answer({ lost: ["a", "b"] });
  await settle();
  assert.deepEqual(lost, ["a", "b"]);
});

test("vanished, it renews nothing more", async () => {
  const { clock, source, lease } = setUp();
  lease.hold();
  lease.vanish();
  await clock.pass(10_000);
  assert.equal(source.renewals.length, 0);
});
