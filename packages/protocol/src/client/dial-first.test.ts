import assert from "node:assert/strict";
import { test } from "node:test";
import { dialFirst } from "./dial-first.ts";

type Dial = PromiseWithResolvers<string> & { host: string; timeoutMs: number };

/** A network whose answers the test gives. */
function dials(): {
  made: Dial[];
  dial: (host: string, timeoutMs: number) => Promise<string>;
  next: () => Promise<void>;
} {
  const made: Dial[] = [];
  let wake = (): void => {};
  return {
    made,
    dial(host, timeoutMs) {
      const one = { ...Promise.withResolvers<string>(), host, timeoutMs };
      made.push(one);
      wake();
      return one.promise;
    },
    next: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
  };
}

test("the next address is tried at once when one fails, and after the delay when it is silent; the first wins", async () => {
  const { made, dial, next } = dials();
  const discarded: string[] = [];
  const connected = dialFirst(["a", "b", "c"], dial, (late) => discarded.push(late), 10_000);
  const startedAt = performance.now();
  const second = next();
  made[0]?.reject(new Error("refused"));
  await second;
  assert.ok(performance.now() - startedAt < 200, "a failure needs no delay");
  await next();
  assert.deepEqual(
    made.map(({ host }) => host),
    ["a", "b", "c"],
  );
  assert.ok((made[2]?.timeoutMs ?? 0) <= 10_000 - 200, "the time-out is for all together");
  made[2]?.resolve("c");
  assert.equal(await connected, "c");
  made[1]?.resolve("b");
  await made[1]?.promise;
  assert.deepEqual(discarded, ["b"]);
});

test("an address that connects leaves the others alone", async () => {
  const { made, dial } = dials();
  const connected = dialFirst(["a", "b"], dial, assert.fail, 0);
  made[0]?.resolve("a");
  assert.equal(await connected, "a");
  assert.deepEqual([made.length, made[0]?.timeoutMs], [1, 0]);
});

test("all fail: the first failure is told, also if the time was over before the last address", async () => {
  const refuse = (host: string): Promise<string> => Promise.reject(new Error(host));
  await assert.rejects(dialFirst(["a", "b"], refuse, assert.fail, 1_000), { message: "a" });
  const slow = (host: string, timeoutMs: number): Promise<string> =>
    new Promise((_, reject) => setTimeout(() => reject(new Error(host)), timeoutMs));
  await assert.rejects(dialFirst(["a", "b"], slow, assert.fail, 20), { message: "a" });
});

test("what loses is aborted, and so is everything when the caller gives up", async () => {
  const signals: AbortSignal[] = [];
  const hang = (signal: AbortSignal): Promise<string> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  const dial = (host: string, _: number, signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return host === "b" ? Promise.resolve(host) : hang(signal);
  };
  assert.equal(await dialFirst(["a", "b"], dial, assert.fail, 0), "b");
  assert.equal(signals[0]?.aborted, true);

  const abort = new AbortController();
  const dialling = dialFirst(["c", "d", "e"], dial, assert.fail, 0, abort.signal);
  abort.abort();
  await assert.rejects(dialling, { message: "aborted" });
  assert.equal(signals.length, 3, "no further address is tried");
});
