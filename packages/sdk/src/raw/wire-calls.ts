import { isProtocolError, QuicClient } from "@runtara/protocol";
import { limits } from "../limits.ts";
import type { SignalType } from "../ports/source.ts";
import { InstanceCalls } from "../wire/calls.ts";
import { accessOf, type ServerAccess } from "../wire/server-access.ts";
import { silenceLimits } from "../wire/silence.ts";
import { isTransient } from "../wire/transience.ts";
import type { RawCalls, RawEvent, RawSaved, RawStatus } from "./calls.ts";
import type { CompleteConfig } from "./config.ts";
import { SdkError } from "./errors.ts";

/** The calls over the instance protocol, each on a connection that is made when it is needed. */
export class WireCalls implements RawCalls {
  readonly #tenantId: string;
  readonly #client: QuicClient;
  readonly #calls: InstanceCalls;

  /** @throws SdkError Config */
  constructor(settings: CompleteConfig, access: ServerAccess) {
    const { serverAddr, serverName, connectTimeoutMs, requestTimeoutMs } = settings;
    this.#tenantId = settings.tenantId;
    try {
      this.#client = new QuicClient({
        serverAddr,
        serverName,
        ...accessOf(access),
        connectTimeoutMs,
        requestTimeoutMs,
        ...silenceLimits(serverAddr),
      });
    } catch (error) {
      throw sdkErrorOf(error);
    }
    this.#calls = new InstanceCalls(settings.instanceId, () => this.#client);
  }

  get isConnected(): boolean {
    return this.#client.isConnected;
  }
  async connect(): Promise<void> {
    await inOurWords(this.#client.connect());
  }
  close(): Promise<void> {
    return inOurWords(this.#client.close());
  }
  register(checkpointId: string | undefined): Promise<string | undefined> {
    return inOurWords(this.#calls.register(this.#tenantId, checkpointId));
  }
  checkpoint(checkpointId: string, state: Uint8Array): Promise<RawSaved> {
    return inOurWords(this.#calls.checkpoint(checkpointId, state));
  }
  getCheckpoint(checkpointId: string): Promise<Uint8Array | undefined> {
    return inOurWords(this.#calls.getCheckpoint(checkpointId));
  }
  event(kind: RawEvent, payload?: Uint8Array, subtype?: string): Promise<string | undefined> {
    return inOurWords(this.#calls.event(kind, payload, subtype));
  }
  pollSignals(checkpointId: string | undefined): ReturnType<RawCalls["pollSignals"]> {
    return inOurWords(this.#calls.pollSignals(checkpointId));
  }
  acknowledge(type: SignalType, acknowledged: boolean): Promise<void> {
    return inOurWords(this.#calls.acknowledge(type, acknowledged));
  }
  retryAttempt(checkpointId: string, attempt: number, error: string | undefined): Promise<void> {
    return inOurWords(this.#calls.retryAttempt(checkpointId, attempt, error));
  }
  status(instanceId: string): Promise<RawStatus> {
    return inOurWords(this.#calls.status(instanceId));
  }

  async sleep(durationMs: number, checkpointId: string, state: Uint8Array): Promise<void> {
    const until = performance.now() + durationMs;
    const { closeCount } = this.#client;
    for (let restMs = durationMs, attempt = 0; restMs > 0; restMs = Math.ceil(until - performance.now())) {
      try {
        await this.#calls.sleep(restMs, checkpointId, state);
        return;
      } catch (error) {
        const isClosed = (): boolean => this.#client.closeCount !== closeCount;
        if (!isProtocolError(error) || !isTransient(error) || isClosed()) throw sdkErrorOf(error);
        attempt++;
        const pauseMs = Math.min(
          limits.reconnectDelayMsMin * 2 ** attempt,
          limits.reconnectDelayMsMax,
          until - performance.now(),
        );
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, pauseMs)));
        // What was begun before is not connected again.
        if (isClosed()) throw sdkErrorOf(error);
      }
    }
  }
}

async function inOurWords<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw sdkErrorOf(error);
  }
}

/** What the protocol says went wrong, in the kinds of the original's SDK. */
function sdkErrorOf(reason: unknown): SdkError {
  if (!isProtocolError(reason)) return new SdkError("Internal", String(reason), { cause: reason });
  const { code, message } = reason;
  switch (code) {
    case "RPC":
      return SdkError.server(reason.rpcCode ?? "UNKNOWN", message, reason);
    case "RESPONSE_UNEXPECTED":
      return new SdkError("UnexpectedResponse", message, { cause: reason });
    case "DECODE_FAILED":
    case "ENCODE_FAILED":
      return new SdkError("Serialization", message, { cause: reason });
    case "ADDRESS_INVALID":
    case "SERVER_NAME_INVALID":
    case "CERTIFICATE_INVALID":
    case "OPTION_INVALID":
      return new SdkError("Config", message, { cause: reason });
    default:
      return new SdkError("Connection", message, { cause: reason });
  }
}
