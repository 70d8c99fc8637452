import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTick, setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { IncomingCall, QuicConnection, QuicListener, QuicStream } from "./index.ts";
import { dial, echo, framed, isEqual, serve } from "./peers.test.helper.ts";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`SEED=${seed}`);

const streamsMax = 6;
const control = Buffer.from("are you well?");

/** Ends every kind of call that there is: echoed, silent, reset, raw, and one that waits until nobody does. */
function answer(call: IncomingCall): void {
  if (call.type === 2) call.finish();
  else if (call.type === 3) call.reset(3);
  else if (call.type === 4) void pump(call.stream());
  else if (call.type === 5) call.onAborted = () => call.finish();
  else echo(call);
}

/** Sends everything back until the peer has had enough. */
async function pump(stream: QuicStream): Promise<void> {
  try {
    for (let piece = await stream.read(); piece !== undefined; piece = await stream.read()) await stream.write(piece);
    await stream.finish();
  } catch {
    stream.reset(1);
    stream.stop(1);
  }
}

type Step =
  | {
      readonly do: "write";
      readonly on: number;
      readonly type: number;
      readonly claimed: number;
      readonly sent: number;
    }
  | { readonly do: "garbage"; readonly on: number; readonly bytes: Uint8Array }
  | { readonly do: "finish" | "reset" | "stop" | "read" | "replace"; readonly on: number }
  | { readonly do: "flood"; readonly count: number; readonly sent: number }
  | { readonly do: "abort"; readonly type: number }
  | { readonly do: "wait" };

const on = fc.nat({ max: streamsMax - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("write" as const),
    on,
    type: fc.integer({ min: 0, max: 8 }),
    claimed: fc.oneof(fc.nat({ max: 200 }), fc.constantFrom(70_000, 2 ** 26, 2 ** 32 - 1)),
    sent: fc.oneof(fc.nat({ max: 210 }), fc.constant(3_000)),
  }),
  fc.record({ do: fc.constant("garbage" as const), on, bytes: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ do: fc.constantFrom("finish", "reset", "stop", "read", "replace"), on }),
  // Not without a byte: streams that a server has not seen make it allow no further ones.
  fc.record({
    do: fc.constant("flood" as const),
    count: fc.nat({ max: 60 }),
    sent: fc.integer({ min: 1, max: 8 }),
  }),
  fc.record({ do: fc.constant("abort" as const), type: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ do: fc.constant("wait" as const) }),
);

/** What a hostile client does on one connection. Errors are its own business. */
class Hostile {
  readonly #connection: QuicConnection;
  readonly #slots: (QuicStream | undefined)[] = [];
  readonly #opened: QuicStream[] = [];
  readonly #pending: Promise<unknown>[] = [];

  constructor(connection: QuicConnection) {
    this.#connection = connection;
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "write": {
        const frame = framed(step.type, new Uint8Array(Math.min(step.claimed, step.sent)), step.claimed);
        return this.#go((await this.#slot(step.on)).write(frame.subarray(0, step.sent)));
      }
      case "garbage":
        return this.#go((await this.#slot(step.on)).write(step.bytes));
      case "finish":
        return this.#go((await this.#slot(step.on)).finish());
      case "read":
        return this.#go((await this.#slot(step.on)).read());
      case "reset":
        return (await this.#slot(step.on)).reset(step.on);
      case "stop":
        return (await this.#slot(step.on)).stop(step.on);
      case "replace":
        this.#slots[step.on] = undefined;
        return;
      case "flood":
        for (let count = 0; count < step.count; count++) {
          this.#go((await this.#open()).write(framed(1, new Uint8Array(2)).subarray(0, step.sent)));
        }
        return;
      case "abort": {
        const controller = new AbortController();
        this.#go(this.#connection.call(step.type, new Uint8Array(5), { signal: controller.signal }));
        await nextTick();
        return controller.abort();
      }
      case "wait":
        return nextTick();
    }
  }

  /** Gives up all that is open, each side on its own. */
  async end(): Promise<void> {
    for (const stream of this.#opened) {
      stream.reset(0);
      stream.stop(0);
    }
    await Promise.all(this.#pending);
  }

  async #slot(index: number): Promise<QuicStream> {
    const stream = this.#slots[index] ?? (await this.#open());
    this.#slots[index] = stream;
    return stream;
  }

  async #open(): Promise<QuicStream> {
    const stream = await this.#connection.openStream();
    this.#opened.push(stream);
    return stream;
  }

  #go(promise: Promise<unknown>): void {
    this.#pending.push(promise.catch(() => {}));
  }
}

async function isWell(connection: QuicConnection): Promise<void> {
  const { type, payload } = await connection.call(6, control);
  assert.ok(type === 2 && isEqual(payload, control));
}

async function isClean(listener: QuicListener): Promise<void> {
  for (let stats = listener.stats(); ; stats = listener.stats()) {
    if (stats.openCalls === 0 && stats.openStreams === 0 && stats.bufferedBytes === 0) return;
    await sleep(2);
  }
}

test("no sequence of stream operations harms the listener, its other calls or its books", async (t) => {
  const listener = await serve(t, { onCall: answer }, { frame: { readTimeoutMs: 60_000 } });
  const other = await dial(t, listener);
  const connection = await dial(t, listener);
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
    const hostile = new Hostile(connection);
    for (const one of steps) await hostile.take(one);
    await isWell(other);
    await isWell(connection);
    await hostile.end();
    await isClean(listener);
  });
  await fc.assert(property, { seed, numRuns: Number(process.env.RUNS ?? 60) });
  assert.equal(listener.stats().connections, 2);
});

test("a connection that ends in the midst of a sequence takes its calls and streams with it", async (t) => {
  const listener = await serve(t, { onCall: answer });
  const other = await dial(t, listener);
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
    const connection = await dial(t, listener);
    const hostile = new Hostile(connection);
    for (const one of steps) await hostile.take(one);
    await connection.close(1, "gone");
    await hostile.end();
    await isWell(other);
    while (listener.stats().connections > 1) await sleep(2);
    await isClean(listener);
  });
  await fc.assert(property, { seed, numRuns: Number(process.env.RUNS ?? 30) });
});
