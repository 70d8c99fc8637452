import {
  type Answer,
  type CallOptions,
  type ClientConnection,
  type FeatureName,
  type RequestMessage,
  sendRequest,
} from "@runtara/protocol";
import { SourceError } from "../../ports/source-error.ts";
import type { Link } from "../link.ts";
import { sourceError } from "./failures.ts";

/** Calls over the link as source and operator make them: they wait a while for a core that is away, and fail with `SourceError` alone. */
export class RemoteCalls {
  readonly link: Link;
  readonly #patienceMs: number;

  /** `patienceMs`: longest wait for a connection. */
  constructor(link: Link, patienceMs: number) {
    this.link = link;
    this.#patienceMs = patienceMs;
  }

  /** One try. Whether it was carried out is open when it fails with AWAY. @throws SourceError */
  async once<M extends RequestMessage>(
    message: M,
    feature?: FeatureName,
    options: CallOptions = {},
  ): Promise<Answer<M>> {
    return this.#on(
      () => this.link.connectionNow ?? this.#connectionWithin(this.#patienceMs),
      message,
      feature,
      options,
    );
  }

  /** The same for what makes no sense later: it fails at once while the core is away. @throws SourceError */
  async now<M extends RequestMessage>(
    message: M,
    feature?: FeatureName,
    options: CallOptions = {},
  ): Promise<Answer<M>> {
    const connected = (): ClientConnection => {
      const connection = this.link.connectionNow;
      if (connection) return connection;
      throw new SourceError("AWAY", "the core is away; it is being looked for");
    };
    return this.#on(connected, message, feature, options);
  }

  async #on<M extends RequestMessage>(
    connected: () => ClientConnection | Promise<ClientConnection>,
    message: M,
    feature: FeatureName | undefined,
    options: CallOptions,
  ): Promise<Answer<M>> {
    try {
      const connection = connected();
      return await sendRequest(connection instanceof Promise ? await connection : connection, message, options);
    } catch (failure) {
      throw this.#errorOf(failure, feature);
    }
  }

  #errorOf(failure: unknown, feature: FeatureName | undefined): SourceError {
    if (this.link.isClosed) return new SourceError("CLOSED", "the connection to the core has been closed");
    return sourceError(failure, feature);
  }

  async #connectionWithin(waitMs: number): Promise<ClientConnection> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new SourceError("AWAY", `the core has been away for ${waitMs} ms; it is being looked for`);
      timer = setTimeout(() => reject(error), waitMs);
    });
    try {
      return await Promise.race([this.link.connection(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
