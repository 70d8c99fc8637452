import { QuicError } from "@runtara/quic";
import { formatAddress } from "../address.ts";
import { limits } from "../limits.ts";
import { http2Transport } from "./http2/transport.ts";
import type { DialOptions, Transport, TransportConnection } from "./port.ts";
import { quicTransport } from "./quic.ts";

/** Reasons why QUIC does not get through that say nothing against HTTP/2. A refusal by TLS is one on every way. */
const unreachable: readonly QuicError["code"][] = ["CONNECT_TIMEOUT", "CONNECT_FAILED", "ADDON_MISSING"];

export interface AutoOptions {
  /** Default QUIC and HTTP/2. */
  readonly first?: Transport;
  readonly second?: Transport;
  /** The first alone has this long, or half of `connectTimeoutMs` if that is less. Default 500. */
  readonly headStartMs?: number;
  /** So long the second is used at once after it has won; then the first is tried again. Default 5 minutes. */
  readonly keepMs?: number;
}

/**
 * For clients: QUIC, and HTTP/2 where that does not get through, because something on the way blocks UDP or because the
 * addon is missing. Both are tried side by side once QUIC has not connected within its head start; the first connection
 * that stands is used. That it was HTTP/2 is said once, to `onWarning`, and remembered for the reconnects of some
 * minutes. A server that TLS refuses over QUIC is not asked over HTTP/2. It dials only.
 */
export function autoTransport(onWarning: (text: string) => void, options: AutoOptions = {}): Transport {
  return new AutoTransport(onWarning, options);
}

class AutoTransport implements Transport {
  readonly name = "auto";
  readonly #first: Transport;
  readonly #second: Transport;
  readonly #headStartMs: number;
  readonly #keepMs: number;
  readonly #onWarning: (text: string) => void;
  #hasWarned = false;
  /** Until then the second goes first. */
  #secondUntil = Number.NEGATIVE_INFINITY;

  constructor(onWarning: (text: string) => void, options: AutoOptions) {
    this.#onWarning = onWarning;
    this.#first = options.first ?? quicTransport;
    this.#second = options.second ?? http2Transport;
    this.#headStartMs = options.headStartMs ?? limits.autoHeadStartMs;
    this.#keepMs = options.keepMs ?? limits.autoKeepMs;
  }

  async dial(options: DialOptions): Promise<TransportConnection> {
    const startedAt = performance.now();
    if (startedAt < this.#secondUntil) {
      try {
        return await this.#second.dial(halfTheTime(options));
      } catch (error) {
        // The network may be another one by now.
        this.#secondUntil = Number.NEGATIVE_INFINITY;
        if (!isUnreachable(error)) throw error;
      }
    }
    const over = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
    try {
      return await this.#race({ ...timeLeft(options, startedAt), signal });
    } finally {
      over.abort();
    }
  }

  listen(): Promise<never> {
    const message = "autoTransport dials only; a server of both listens with alongside(quicTransport, http2Transport)";
    return Promise.reject(new QuicError("BIND_FAILED", message));
  }

  async #race(options: DialOptions): Promise<TransportConnection> {
    const startedAt = performance.now();
    const first = attempt(this.#first, options);
    const { connectTimeoutMs } = options;
    const headStartMs = connectTimeoutMs === 0 ? this.#headStartMs : Math.min(this.#headStartMs, connectTimeoutMs / 2);
    const early = await within(first, headStartMs);
    if (early !== undefined && isDecided(early)) return connectionOf(early);
    const second = attempt(this.#second, timeLeft(options, startedAt));
    const decided = await this.#decide(first, second);
    closeUnless(decided, first, second);
    if (decided.way === this.#second && "connection" in decided) {
      this.#secondUntil = performance.now() + this.#keepMs;
      this.#warn(options, headStartMs, await within(first, 0));
    }
    return connectionOf(decided);
  }

  /** The first connection; or the first way's refusal, which the second must not get round; or what says most. */
  async #decide(first: Promise<Outcome>, second: Promise<Outcome>): Promise<Outcome> {
    const early = await Promise.race([first, second]);
    const wasFirst = early.way === this.#first;
    if ("connection" in early || (wasFirst && isDecided(early))) return early;
    const late = await (wasFirst ? second : first);
    if (isDecided(late)) return late;
    // Both have failed; what TLS says tells more than that nobody answers.
    return isDecided(early) || wasFirst ? early : late;
  }

  #warn(options: DialOptions, headStartMs: number, first: Outcome | undefined): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const error = first !== undefined && "error" in first ? first.error : undefined;
    const why = error instanceof Error ? error.message : `it did not connect within ${headStartMs} ms`;
    const ways = `over ${shown(this.#second)} because ${shown(this.#first)} does not get through`;
    this.#onWarning(`connected to ${formatAddress(options)} ${ways}: ${why}`);
  }
}

/** How an attempt on one of the ways ended. */
type Outcome = { readonly way: Transport } & (
  | { readonly connection: TransportConnection }
  | { readonly error: unknown }
);

async function attempt(transport: Transport, options: DialOptions): Promise<Outcome> {
  try {
    return { way: transport, connection: await transport.dial(options) };
  } catch (error) {
    return { way: transport, error };
  }
}

/** A network that has changed must leave time for the other way. */
function halfTheTime(options: DialOptions): DialOptions {
  return { ...options, connectTimeoutMs: Math.ceil(options.connectTimeoutMs / 2) };
}

/** The options for what is tried after something else: both share one time-out. */
function timeLeft(options: DialOptions, startedAt: number): DialOptions {
  const { connectTimeoutMs } = options;
  if (connectTimeoutMs === 0) return options;
  const usedMs = Math.floor(performance.now() - startedAt);
  return { ...options, connectTimeoutMs: Math.max(1, connectTimeoutMs - usedMs) };
}

/** Connections that come too late are closed. */
function closeUnless(decided: Outcome, ...attempts: Promise<Outcome>[]): void {
  for (const one of attempts) {
    void one.then((outcome) => {
      if (outcome !== decided && "connection" in outcome) return outcome.connection.close();
      return undefined;
    });
  }
}

/** Whether another way need not be tried any more. */
function isDecided(outcome: Outcome): boolean {
  return "connection" in outcome || !isUnreachable(outcome.error);
}

function isUnreachable(error: unknown): boolean {
  return error instanceof QuicError && unreachable.includes(error.code);
}

function connectionOf(outcome: Outcome): TransportConnection {
  if ("connection" in outcome) return outcome.connection;
  throw outcome.error;
}

async function within(outcome: Promise<Outcome>, timeMs: number): Promise<Outcome | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), timeMs);
  try {
    return await Promise.race([outcome, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function shown({ name }: Transport): string {
  if (name === "quic") return "QUIC";
  return name === "http2" ? "HTTP/2" : name;
}
