import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { seed } from "../testing/messages.ts";
import { Admission } from "./admission.ts";

test("each limit refuses by its name; 0 is none", () => {
  const load = { bytesInFlight: 0 };
  const calls = new Admission({ maxOpenCalls: 1, maxBytesInFlight: 0, maxConnectionBytesInFlight: 0 });
  assert.equal(calls.refusal(load, 1e12), undefined);
  calls.enter(load, 1e12);
  assert.equal(calls.refusal(load, 0), "openCalls");
  calls.leave(load, 1e12);
  assert.equal(calls.refusal(load, 0), undefined);

  const bytes = new Admission({ maxOpenCalls: 0, maxBytesInFlight: 10, maxConnectionBytesInFlight: 6 });
  const [one, other] = [{ bytesInFlight: 0 }, { bytesInFlight: 0 }];
  bytes.enter(one, 5);
  assert.equal(bytes.refusal(one, 2), "connectionBytesInFlight");
  assert.equal(bytes.refusal(one, 1), undefined);
  assert.equal(bytes.refusal(other, 6), "bytesInFlight");
  assert.equal(bytes.refusal(other, 5), undefined);

  bytes.isDraining = true;
  assert.equal(bytes.refusal(other, 0), "draining");
});

test("what is larger than a whole limit is let in alone", () => {
  const admission = new Admission({ maxOpenCalls: 0, maxBytesInFlight: 10, maxConnectionBytesInFlight: 10 });
  const load = { bytesInFlight: 0 };
  assert.equal(admission.refusal(load, 11), undefined);
  admission.enter(load, 11);
  assert.equal(admission.refusal(load, 0), "bytesInFlight");
});

test("counts are those of the calls under way, and idle is told each time none is left", () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(1_000), fc.boolean()), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (all) => {
      const admission = new Admission({ maxOpenCalls: 0, maxBytesInFlight: 0, maxConnectionBytesInFlight: 0 });
      const loads = [0, 1, 2, 3].map(() => ({ bytesInFlight: 0 }));
      const open: { connection: number; bytes: number }[] = [];
      let idles = 0;
      let idlesExpected = 0;
      admission.onIdle = () => idles++;
      for (const [connection, bytes, isLeaving] of all) {
        const call = isLeaving ? open.shift() : undefined;
        if (call !== undefined) {
          admission.leave(loads[call.connection] ?? assert.fail(), call.bytes);
          if (open.length === 0) idlesExpected++;
        } else {
          open.push({ connection, bytes });
          admission.enter(loads[connection] ?? assert.fail(), bytes);
        }
        const sum = (of: typeof open): number => of.reduce((total, one) => total + one.bytes, 0);
        assert.equal(admission.openCalls, open.length);
        assert.equal(admission.bytesInFlight, sum(open));
        loads.forEach((load, n) => {
          assert.equal(load.bytesInFlight, sum(open.filter((one) => one.connection === n)));
        });
      }
      assert.equal(idles, idlesExpected);
    }),
    { seed },
  );
});
