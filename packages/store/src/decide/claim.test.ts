import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClaimWork } from "../operations/index.ts";
import { decideClaim } from "./claim.ts";
import type { ClaimFacts } from "./facts.ts";
import { extendedLease } from "./lease.ts";
import { bytes, ended, row, running, seed, suspended, unclaimable } from "./rows.test.helper.ts";

const facts: ClaimFacts = {
  holderLeaseUntilMs: undefined,
  sequence: 8,
  retryCount: 1,
  input: bytes("in"),
  signalPayload: bytes("why"),
};

const claim: ClaimWork = {
  kind: "claimWork",
  workerId: "w",
  tenantId: "t",
  offers: [],
  capacity: 1,
  received: 7,
  leaseMs: 5_000,
  runningMax: 0,
  bytesMax: 1_000,
  nowMs: 3_000,
};

const none = { result: undefined, changes: undefined };

describe("decideClaim", () => {
  it("begins a life with the worker as holder, watched by its lease and not by silence", () => {
    const before = suspended("sleeping", { readyAtMs: 3_000, timeoutMs: 10_000, pendingSignal: "cancel" });
    const { changes, result } = decideClaim(claim, before, facts);
    assert.deepEqual(result, {
      instanceId: "i",
      tenantId: "t",
      facts: {
        epoch: 4,
        checkpointCount: 1,
        input: bytes("in"),
        firstStartedAtMs: 1_500,
        seed,
        run: 1,
        workflow: "order",
        version: "v1",
        parentInstanceId: null,
        signal: { type: "cancel", payload: bytes("why") },
      },
    });
    assert.deepEqual(changes?.row, {
      ...before,
      status: "running",
      reason: null,
      epoch: 4,
      startedAtMs: 3_000,
      lastSeenAtMs: 3_000,
      readyAtMs: null,
      dueAtMs: 12_500,
      holder: "w",
      claimSequence: 8,
      changes: 1,
    });
    assert.deepEqual([changes?.lossForgottenBy, changes?.leaseUntilMs, changes?.lostBy], ["w", 8_000, undefined]);
    assert.equal(changes?.events?.[0]?.type, "started");
  });

  it("takes what is ready and nothing else", () => {
    assert.equal(decideClaim(claim, row(), facts).result?.facts.epoch, 1);
    for (const before of [
      row({ readyAtMs: 3_001 }),
      suspended("waiting", { readyAtMs: null }),
      suspended("paused"),
      running(),
      ended(),
      row({ tenantId: "u" }),
      row(unclaimable),
    ]) {
      assert.deepEqual(decideClaim(claim, before, facts), none);
    }
  });

  it("takes a running one only when its holder's lease is over, and tells that worker", () => {
    const before = running({ holder: "v", claimSequence: 9 });
    const decide = (holderLeaseUntilMs: number | undefined) =>
      decideClaim(claim, before, { ...facts, holderLeaseUntilMs });
    assert.deepEqual(decide(3_001), none);
    for (const lease of [3_000, undefined]) {
      const { changes } = decide(lease);
      assert.deepEqual([changes?.row?.holder, changes?.row?.epoch, changes?.lostBy], ["w", 4, "v"]);
      assert.equal(changes?.row?.usedMs, 1_000);
    }
  });

  it("gives again what an unconfirmed answer brought, unchanged, whatever its lease", () => {
    const before = running({ holder: "w", claimSequence: 8 });
    const { changes, result } = decideClaim(claim, before, { ...facts, holderLeaseUntilMs: 1 });
    assert.deepEqual([result?.facts.epoch, changes], [3, undefined]);
    const confirmed = decideClaim({ ...claim, received: 8 }, before, { ...facts, holderLeaseUntilMs: 9_000 });
    assert.deepEqual(confirmed, none);
  });

  it("begins anew what the worker itself let its lease end for", () => {
    const { changes, result } = decideClaim(claim, running({ holder: "w", claimSequence: 7 }), facts);
    assert.deepEqual([result?.facts.epoch, changes?.row?.holder, changes?.lostBy], [4, "w", undefined]);
  });
});

describe("extendedLease", () => {
  it("never shrinks", () => {
    assert.equal(extendedLease(undefined, 10, 5), 15);
    assert.equal(extendedLease(12, 10, 5), 15);
    assert.equal(extendedLease(20, 10, 5), 20);
  });
});
