import { nativeError, type QuicError } from "./errors.ts";
import { limits } from "./limits.ts";
import {
  type ConnectionStats,
  type EndpointStats,
  eventWords,
  type Handle,
  type Native,
  native,
  offsetLarge,
} from "./native.ts";
import { Outbox } from "./outbox.ts";
import type { StandInPace } from "./stand-in.ts";

/** Takes the events of one drain. */
export interface EventSink {
  onEvent(kind: number, subject: number, event: EventView): void;
  onDrained(): void;
}

const nothing = new Uint8Array(0);
const decoder = new TextDecoder();

/** The event at hand; it is the same object for every event, so read what is needed at once. */
export class EventView {
  readonly #native: Native;
  #handle: Handle | undefined;
  #records: Uint32Array;
  #slab: Uint8Array = nothing;
  #at = 0;

  constructor(native: Native, records: Uint32Array) {
    this.#native = native;
    this.#records = records;
  }

  /** @internal */
  show(handle: Handle, records: Uint32Array, slab: Uint8Array, at: number): void {
    this.#handle = handle;
    this.#records = records;
    this.#slab = slab;
    this.#at = at;
  }

  get other(): number {
    return this.#records[this.#at + 2] as number;
  }

  get value(): number {
    return this.#records[this.#at + 3] as number;
  }

  get code(): bigint {
    const low = this.#records[this.#at + 4] as number;
    return (BigInt(this.#records[this.#at + 5] as number) << 32n) | BigInt(low);
  }

  /** The code as far as a number is exact. */
  get codeNumber(): number {
    return (this.#records[this.#at + 5] as number) * 0x1_0000_0000 + (this.#records[this.#at + 4] as number);
  }

  /** The event's bytes. A large value can be taken only once. */
  takeBytes(): Uint8Array {
    const offset = this.#records[this.#at + 6] as number;
    const length = this.#records[this.#at + 7] as number;
    if (length === 0) return nothing;
    if (offset === offsetLarge) {
      const large = this.#native.endpointTakeLarge(this.#handle as Handle);
      return new Uint8Array(large.buffer, large.byteOffset, length);
    }
    const slab = this.#slab;
    return new Uint8Array(slab.buffer, slab.byteOffset + offset, length);
  }

  text(): string {
    return decoder.decode(this.takeBytes());
  }

  error(): QuicError {
    return nativeError(this.value, this.code, this.text());
  }
}

/** One native endpoint: its handle, its outgoing commands and its events. */
export class Bridge {
  readonly outbox: Outbox;
  readonly #native: Native;
  readonly #view: EventView;
  readonly #sink: EventSink;
  #handle: Handle | undefined;
  #records: Uint32Array;
  #recordBytes: Uint8Array;

  constructor(sink: EventSink, open: (native: Native, ready: () => void) => Handle) {
    this.#native = native();
    this.#sink = sink;
    this.outbox = new Outbox(this.#native);
    this.#records = new Uint32Array(1 + limits.eventsInitial * eventWords);
    this.#recordBytes = new Uint8Array(this.#records.buffer);
    this.#view = new EventView(this.#native, this.#records);
    this.#handle = open(this.#native, () => this.#drain());
    this.outbox.attach(this.#handle);
  }

  get isDisposed(): boolean {
    return this.#handle === undefined;
  }

  stats(): EndpointStats | undefined {
    return this.#handle === undefined ? undefined : this.#native.endpointStats(this.#handle);
  }

  /** Undefined when the connection has ended. */
  connectionStats(connection: number): ConnectionStats | undefined {
    if (this.#handle === undefined) return undefined;
    return this.#native.connectionStats(this.#handle, connection) ?? undefined;
  }

  /** Whether there is a listener that shows it from now on; throws if the two do not belong together. */
  setCertificate(certPem: string, keyPem: string): boolean {
    return this.#handle !== undefined && this.#native.serverSetCertificate(this.#handle, certPem, keyPem);
  }

  /** Replaces what was given before; null = nothing stands in. Whether there is a connection. */
  standIn(type: number, payload: Uint8Array | null, { everyMs, quietMs, stopMs }: StandInPace): boolean {
    if (this.#handle === undefined) return false;
    return this.#native.connectionStandIn(this.#handle, type, payload, everyMs, quietMs, stopMs);
  }

  sign(): void {
    if (this.#handle !== undefined) this.#native.connectionSign(this.#handle);
  }

  /** Lets go of the native endpoint, which closes if it has not. */
  dispose(): void {
    if (this.#handle === undefined) return;
    this.outbox.flush();
    this.outbox.attach(undefined);
    this.#native.endpointDispose(this.#handle);
    this.#handle = undefined;
  }

  #drain(): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    let slab = this.#native.endpointDrain(handle, this.#recordBytes);
    let count = this.#records[0] as number;
    if (1 + count * eventWords > this.#records.length) {
      // Nothing was taken; more may have come since, which the doubled room is for.
      this.#records = new Uint32Array(1 + 2 * count * eventWords);
      this.#recordBytes = new Uint8Array(this.#records.buffer);
      slab = this.#native.endpointDrain(handle, this.#recordBytes);
      count = this.#records[0] as number;
      if (1 + count * eventWords > this.#records.length) {
        this.#drain();
        return;
      }
    }
    const records = this.#records;
    const bytes = slab ?? nothing;
    for (let index = 0; index < count; index++) {
      const at = 1 + index * eventWords;
      this.#view.show(handle, records, bytes, at);
      this.#sink.onEvent(records[at] as number, records[at + 1] as number, this.#view);
    }
    this.#sink.onDrained();
    this.outbox.flush();
  }
}
