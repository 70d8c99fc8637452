import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  type ConnectOptions,
  connect,
  type IncomingCall,
  type ListenHandlers,
  type ListenOptions,
  listen,
  type QuicConnection,
  QuicError,
  type QuicErrorCode,
  type QuicListener,
} from "./index.ts";

/** Answers every frame with itself and ends every fault silently. */
export function echo(call: IncomingCall): void {
  if (call.fault === undefined) call.respond(2, call.payload);
  else call.finish();
}

/** A listener on a free port, closed when the test ends. */
export async function serve(
  t: TestContext,
  handlers: Partial<ListenHandlers> = {},
  options: Partial<ListenOptions> = {},
): Promise<QuicListener> {
  const listener = await listen(
    { host: "127.0.0.1", port: 0, certificate: "self-signed", ...options },
    { onCall: echo, ...handlers },
  );
  t.after(() => listener.close());
  return listener;
}

/** A connection to the listener, closed when the test ends. */
export async function dial(
  t: TestContext,
  listener: { readonly host: string; readonly port: number },
  options: Partial<ConnectOptions> = {},
): Promise<QuicConnection> {
  const { host, port } = listener;
  const base = { host, port, serverName: "localhost", verify: "skip", connectTimeoutMs: 10_000 } as const;
  const connection = await connect({ ...base, ...options });
  t.after(() => connection.close());
  return connection;
}

export async function pair(
  t: TestContext,
  handlers: Partial<ListenHandlers> = {},
  options: Partial<ListenOptions> = {},
): Promise<QuicConnection> {
  return dial(t, await serve(t, handlers, options));
}

/** The QuicError with this code that the promise must reject with. */
export async function failure(promise: Promise<unknown>, code: QuicErrorCode): Promise<QuicError> {
  const outcome = await promise.then(
    () => assert.fail(`resolved instead of failing with ${code}`),
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof QuicError, `not a QuicError: ${outcome}`);
  assert.equal(outcome.code, code, outcome.message);
  return outcome;
}

/** A value that another callback will give. */
export function later<T>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}

export function bytes(length: number, seed = 1): Uint8Array {
  const made = new Uint8Array(length);
  let state = (seed | 0) === 0 ? 1 : seed | 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    made[i] = state >>> 16;
  }
  return made;
}

export function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** A frame as it is on the wire. */
export function framed(type: number, payload: Uint8Array, claimed: number = payload.length): Uint8Array {
  const frame = Buffer.alloc(6 + payload.length);
  frame.writeUInt32BE(claimed, 0);
  frame.writeUInt16BE(type, 4);
  frame.set(payload, 6);
  return frame;
}
