import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Notice, Store } from "@runtara/store";
import { limits } from "../limits.ts";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes } from "./values.ts";

/** A notice that never comes is a failure, not a test run that never ends. In ms. */
const timeout = 60_000;

const daily = {
  tenantId: "t",
  scheduleId: "s",
  workflow: "w",
  input: null,
  cron: "0 3 * * *",
  timezone: "UTC",
  overlap: "skip",
  catchUp: "none",
  inactive: false,
} as const;

export function describeNotices(createHarness: CreateHarness): void {
  describe("notices", () => {
    const t = useStore(createHarness);

    /** Watches `store` while `cause` runs, and until a notice says what is awaited. "anything" says everything. */
    async function noticed(
      store: Store,
      cause: () => Promise<unknown>,
      says: (notice: Notice) => boolean,
    ): Promise<void> {
      const seen: Notice[] = [];
      let stop = () => {};
      const told = new Promise<void>((resolve) => {
        stop = store.watch((notice) => {
          seen.push(notice);
          if (notice.topic === "anything" || says(notice)) resolve();
        });
      });
      try {
        await cause();
        await told;
      } finally {
        stop();
      }
    }

    const cases: readonly [
      title: string,
      prepare: () => Promise<unknown>,
      cause: () => Promise<unknown>,
      says: (notice: Notice) => boolean,
    ][] = [
      [
        "something became claimable",
        async () => {},
        () => t.queue("i", { startAtMs: 500 }),
        (notice) =>
          notice.topic === "work" && notice.tenantId === "t" && notice.workflow === "w" && notice.readyAtMs <= 500,
      ],
      [
        "a suspended one became claimable",
        async () => {
          await t.claimed("i", "worker");
          await t.suspend("i", { names: ["n"] });
        },
        () => t.send("i", "n", "x", { nowMs: 70 }),
        (notice) => notice.topic === "work" && notice.workflow === "w" && notice.readyAtMs <= 70,
      ],
      [
        "the end of a lease",
        () => t.queue("i"),
        () => t.claim("worker", { nowMs: 100, leaseMs: 5_000 }),
        (notice) => notice.topic === "work" && notice.workflow === "w" && notice.readyAtMs <= 5_100,
      ],
      [
        "the time at which what nobody claims is taken back",
        () => t.queue("i"),
        () => t.claim("worker", { nowMs: 100, leaseMs: 5_000 }),
        (notice) => notice.topic === "due" && notice.atMs <= 5_100 + limits.leaseGraceMs,
      ],
      ["a signal", () => t.register("i"), () => t.signal("i", "pause"), (notice) => isAbout(notice, "signal")],
      ["a custom signal", () => t.register("i"), () => t.send("i", "n", "x"), (notice) => isAbout(notice, "signal")],
      ["a later registration", () => t.register("i"), () => t.register("i"), (notice) => isAbout(notice, "signal")],
      ["a kill", () => t.register("i"), () => t.control("i", "kill"), (notice) => isAbout(notice, "signal")],
      ["a new status", () => t.start("i"), () => t.register("i"), (notice) => isAbout(notice, "instance")],
      [
        "an end",
        () => t.register("i"),
        () => t.event("i", "completed"),
        (notice) => notice.topic === "instance" && notice.instanceId === "i" && notice.ended,
      ],
      [
        "a due time",
        async () => {},
        () => t.register("i", { nowMs: 100, staleAfterMs: 1_000 }),
        (notice) => notice.topic === "due" && notice.atMs <= 1_100,
      ],
      [
        "a schedule",
        async () => {},
        () => t.run({ kind: "putSchedule", schedule: { ...daily, nextFireMs: 1_100 }, nowMs: 100 }),
        (notice) => notice.topic === "schedule" && notice.atMs <= 1_100,
      ],
      [
        "effects of an end",
        async () => {
          await t.register("p");
          await t.queue("i", { parent: { instanceId: "p", epoch: 1, resultSignal: "r", detached: true } });
        },
        () => t.event("i", "completed", { nowMs: 40 }),
        (notice) => notice.topic === "due" && notice.atMs <= 40,
      ],
    ];
    for (const [title, prepare, cause, says] of cases) {
      test(`${title}: told to a listener of the same store`, { timeout }, async () => {
        await prepare();
        await noticed(t.store, cause, says);
      });
      test(`${title}: told to a listener of another opening`, { timeout }, async () => {
        await prepare();
        await noticed(await t.open(), cause, says);
      });
    }

    test("history and published values are told to listeners of the same store", { timeout }, async () => {
      await t.register("i");
      const about = (notice: Notice) => isAbout(notice, "instance");
      await noticed(t.store, () => t.save("i", "a", "x"), about);
      await noticed(t.store, () => t.event("i", "custom"), about);
      const message = { number: 1, content: { kind: "published", key: "k", value: bytes("v") } } as const;
      const publish = { kind: "publish", instanceId: "i", epoch: 1, run: 1, messages: [message], nowMs: 1 } as const;
      await noticed(t.store, () => t.run(publish), about);
    });

    test("told after the answer of the commit", { timeout }, async () => {
      await t.register("i");
      const seen: string[] = [];
      const finished = new Promise<void>((resolve) => {
        const stop = t.store.watch((notice) => {
          if (!isAbout(notice, "signal")) return;
          seen.push("notice");
          stop();
          resolve();
        });
      });
      const send = { kind: "sendSignal", instanceId: "i", signal: "pause", nowMs: 1 } as const;
      t.store.submit(send, () => seen.push("answer"));
      t.store.flush();
      await finished;
      assert.deepEqual(seen, ["answer", "notice"]);
    });

    test("who has stopped watching hears nothing more", { timeout }, async () => {
      await t.register("i");
      let count = 0;
      const stop = t.store.watch(() => {
        count += 1;
      });
      stop();
      stop();
      await noticed(
        t.store,
        () => t.signal("i", "pause"),
        (notice) => isAbout(notice, "signal"),
      );
      assert.equal(count, 0);
    });

    test("a refused operation tells nothing", async () => {
      await t.register("i");
      const seen: Notice[] = [];
      const stop = t.store.watch((notice) => seen.push(notice));
      await t.save("i", "a", "x", { epoch: 9 });
      await t.send("unknown", "n", "x");
      await t.control("unknown", "kill");
      stop();
      assert.deepEqual(
        seen.filter((notice) => notice.topic !== "anything"),
        [],
      );
    });
  });
}

function isAbout(notice: Notice, topic: "signal" | "instance"): boolean {
  return notice.topic === topic && notice.instanceId === "i";
}
