import type { Http2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { LinkStats } from "../port.ts";
import { keepAlivePing } from "./stop-ping.ts";

/**
 * Keeps a connection alive by PING, and notices one on which nothing comes any more. Neither keeps the process alive.
 */
export class Liveness {
  /** Of the last PING that was answered. */
  #rttUs: number | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #socket: TLSSocket;

  constructor(
    session: Http2Session,
    socket: TLSSocket,
    times: { readonly keepAliveIntervalMs: number; readonly idleTimeoutMs: number },
    onIdle: () => void,
  ) {
    this.#socket = socket;
    const { keepAliveIntervalMs, idleTimeoutMs } = times;
    if (keepAliveIntervalMs > 0) this.#every(keepAliveIntervalMs, () => this.#ping(session));
    if (idleTimeoutMs > 0) this.#watch(socket, idleTimeoutMs, onIdle);
  }

  stats(): Pick<LinkStats, "rttUs" | "bytesSent" | "bytesReceived"> {
    return { rttUs: this.#rttUs, bytesSent: this.#socket.bytesWritten, bytesReceived: this.#socket.bytesRead };
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #ping(session: Http2Session): void {
    if (session.destroyed) return;
    // False if too many are unanswered already; then the idle time-out decides.
    session.ping(keepAlivePing, (error, durationMs) => {
      if (error === null) this.#rttUs = Math.round(durationMs * 1_000);
    });
  }

  /** Looks four times as often as it need, so that the time-out is at most a quarter late and receiving costs nothing. */
  #watch(socket: TLSSocket, idleTimeoutMs: number, onIdle: () => void): void {
    let receivedBytes = socket.bytesRead;
    let heardAt = performance.now();
    this.#every(Math.max(1, Math.ceil(idleTimeoutMs / 4)), () => {
      const now = performance.now();
      if (socket.bytesRead !== receivedBytes) {
        receivedBytes = socket.bytesRead;
        heardAt = now;
      } else if (now - heardAt >= idleTimeoutMs) onIdle();
    });
  }

  #every(periodMs: number, action: () => void): void {
    this.#timers.push(setInterval(action, periodMs).unref());
  }
}
