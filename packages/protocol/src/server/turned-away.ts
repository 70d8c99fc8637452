import { limits } from "../limits.ts";
import type { TransportStats, TurnedAway } from "../transport/port.ts";
import type { FaultReporter } from "./faults.ts";

/** Where a server counts what it has refused. */
interface Refused {
  connections: number;
}

/**
 * What the network turns away by itself, before a server hears of it, it only counts, so that a flood costs next to
 * nothing. This looks at the counts every second and makes refusals and faults of them.
 */
export class TurnedAwayWatch {
  readonly #stats: () => TransportStats;
  readonly #refused: Refused;
  readonly #faults: FaultReporter;
  readonly #timer: NodeJS.Timeout | undefined;
  #seen: TurnedAway = { connectionsRefused: 0, answersRefused: 0, connectionsShed: 0 };

  constructor(stats: () => TransportStats, refused: Refused, faults: FaultReporter) {
    this.#stats = stats;
    this.#refused = refused;
    this.#faults = faults;
    // Not every network counts.
    if (stats().connectionsRefused !== undefined) {
      this.#timer = setInterval(() => this.look(), limits.turnedAwayPollMs).unref();
    }
  }

  /** Reports what has come since the last time. @throws QuicError ENDPOINT_CLOSED */
  look(): TransportStats {
    const stats = this.#stats();
    const { connectionsRefused = 0, answersRefused = 0, connectionsShed = 0 } = stats;
    const seen = this.#seen;
    this.#seen = { connectionsRefused, answersRefused, connectionsShed };
    const connections = connectionsRefused - seen.connectionsRefused;
    this.#refused.connections += connections;
    this.#report("connectionRefused", connections, "refused in the handshake: as many as maxConnections are here");
    const answers = answersRefused - seen.answersRefused;
    this.#report(
      "answerUnread",
      answers,
      "an answer was reset: others of its connection wait (maxConnectionUnsentBytes)",
    );
    const shed = connectionsShed - seen.connectionsShed;
    this.#report("answerUnread", shed, "a connection was closed: its answers take the room of others (maxUnsentBytes)");
    return stats;
  }

  /** Looks for the last time; before the listener is closed. */
  close(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.look();
  }

  #report(kind: "connectionRefused" | "answerUnread", times: number, message: string): void {
    if (times > 0) this.#faults.report({ kind, message, remoteAddress: "" }, times);
  }
}
