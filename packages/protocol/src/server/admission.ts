/** Why a call was refused. */
export type CallRefusal = "openCalls" | "bytesInFlight" | "connectionBytesInFlight" | "draining";

export interface AdmissionLimits {
  readonly maxOpenCalls: number;
  readonly maxBytesInFlight: number;
  readonly maxConnectionBytesInFlight: number;
}

/** The share of one connection. */
export interface ConnectionLoad {
  bytesInFlight: number;
}

/** Who is let in: counts what is under way and holds it against the limits, of which 0 means none. Pure. */
export class Admission {
  readonly #limits: AdmissionLimits;
  #openCalls = 0;
  #bytesInFlight = 0;
  #callsTotal = 0;
  /** Lets nobody in any more. */
  isDraining = false;
  /** Told whenever the last open call has ended. */
  onIdle: (() => void) | undefined;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Calls that were let in and have not ended. */
  get openCalls(): number {
    return this.#openCalls;
  }

  get bytesInFlight(): number {
    return this.#bytesInFlight;
  }

  /** Calls that were ever let in. */
  get callsTotal(): number {
    return this.#callsTotal;
  }

  /** Why a further call with a request of `bytes` cannot be let in; undefined if it can. */
  refusal(connection: ConnectionLoad, bytes: number): CallRefusal | undefined {
    if (this.isDraining) return "draining";
    const { maxOpenCalls, maxBytesInFlight, maxConnectionBytesInFlight } = this.#limits;
    if (isOver(maxOpenCalls, this.#openCalls, 1)) return "openCalls";
    if (isOver(maxBytesInFlight, this.#bytesInFlight, bytes)) return "bytesInFlight";
    if (isOver(maxConnectionBytesInFlight, connection.bytesInFlight, bytes)) return "connectionBytesInFlight";
    return undefined;
  }

  enter(connection: ConnectionLoad, bytes: number): void {
    this.#openCalls += 1;
    this.#callsTotal += 1;
    this.charge(connection, bytes);
  }

  /** A call that was let in holds more, or less, than its request. */
  charge(connection: ConnectionLoad, bytes: number): void {
    this.#bytesInFlight += bytes;
    connection.bytesInFlight += bytes;
  }

  /** `bytes`: all that the call was charged with. */
  leave(connection: ConnectionLoad, bytes: number): void {
    this.#openCalls -= 1;
    this.charge(connection, -bytes);
    if (this.#openCalls === 0) this.onIdle?.();
  }
}

/** Something larger than the whole limit is let in alone, or it could never be served. */
function isOver(limit: number, held: number, more: number): boolean {
  return limit > 0 && held > 0 && held + more > limit;
}
