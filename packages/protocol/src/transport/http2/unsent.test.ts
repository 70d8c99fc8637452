import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { seed } from "../../testing/messages.ts";
import { Unsent } from "./unsent.ts";

test("a connection is refused what is over its limit, another one is not, and a lone answer never", () => {
  const unsent = new Unsent(100, 0);
  const one = unsent.join(assert.fail);
  const other = unsent.join(assert.fail);
  assert.equal(unsent.admit(one, 60), true);
  assert.equal(unsent.admit(one, 41), false);
  assert.equal(unsent.admit(other, 500), true);
  unsent.sent(one, 60);
  assert.equal(unsent.admit(one, 41), true);
  assert.deepEqual([unsent.bytes, unsent.answersRefused, unsent.connectionsShed], [541, 1, 0]);
  unsent.leave(other);
  unsent.sent(other, 500);
  unsent.sent(one, 41);
  assert.equal(unsent.bytes, 0);
});

test("whoever holds most goes when all hold too much", () => {
  const shed: string[] = [];
  const unsent = new Unsent(0, 100);
  const small = unsent.join(() => shed.push("small"));
  const large = unsent.join(() => shed.push("large"));
  unsent.admit(small, 40);
  assert.equal(unsent.admit(large, 61), true);
  assert.deepEqual([shed, unsent.bytes], [["large"], 40]);
  assert.equal(unsent.admit(large, 1), false, "it is being closed");
  unsent.sent(large, 61);
  unsent.leave(large);
  assert.deepEqual([unsent.bytes, unsent.connectionsShed], [40, 1]);
});

test("whatever comes and goes, the listener's limit holds, and nothing is left in the end", () => {
  const steps = fc.array(fc.record({ who: fc.nat(3), bytes: fc.integer({ min: 1, max: 80 }), isSent: fc.boolean() }));
  fc.assert(
    fc.property(steps, (all) => {
      const unsent = new Unsent(120, 200);
      const shares = Array.from({ length: 4 }, () => unsent.join(() => {}));
      const kept: [share: (typeof shares)[number], bytes: number][] = [];
      for (const { who, bytes, isSent } of all) {
        const share = shares[who];
        const oldest = isSent ? kept.shift() : undefined;
        if (oldest !== undefined) unsent.sent(...oldest);
        else if (share !== undefined && unsent.admit(share, bytes)) kept.push([share, bytes]);
        assert.ok(unsent.bytes >= 0 && unsent.bytes <= 200, `${unsent.bytes}`);
      }
      for (const one of kept) unsent.sent(...one);
      assert.equal(unsent.bytes, 0);
    }),
    { seed },
  );
});
