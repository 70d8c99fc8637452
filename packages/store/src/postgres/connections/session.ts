import type pg from "pg";
import { limits } from "../../limits.ts";
import { driver } from "./driver.ts";
import { endsSession } from "./errors.ts";
import type { Answer, Parameter, Statement } from "./port.ts";
import { valueParsers } from "./value-parsers.ts";

export interface SessionSettings {
  readonly url: string;
  readonly connectTimeoutMs: number;
  /** Zero = none. Given to the server when `direct`, and watched here in any case. */
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly answerGraceMs: number;
  /** Settings of the session, as `-c name=value`; "" = the server's. */
  readonly options: string;
  /** False behind a pooler, which refuses or ignores limits and options. */
  readonly direct: boolean;
}

/** One connection to the server. It never throws StoreErrors; those who use it know what a loss means to them. */
export class Session {
  readonly #client: pg.Client;
  /** Zero = none. */
  readonly #answerTimeoutMs: number;
  /** Why it can't be used any more. */
  #lossReason: Error | undefined;
  readonly #ended: PromiseWithResolvers<"lost" | "closed"> = Promise.withResolvers();
  #closing = false;
  statements = 0;
  /** When it was put aside, for closing idle ones. */
  idleSinceMs = 0;

  private constructor(settings: SessionSettings) {
    const { statementTimeoutMs, answerGraceMs } = settings;
    this.#answerTimeoutMs = statementTimeoutMs === 0 ? 0 : statementTimeoutMs + answerGraceMs;
    this.#client = new (driver().Client)({
      connectionString: settings.url,
      connectionTimeoutMillis: settings.connectTimeoutMs,
      application_name: "runtara",
      keepAlive: true,
      keepAliveInitialDelayMillis: limits.keepAliveAfterMs,
      pipeline: true,
      types: valueParsers as pg.CustomTypesConfig,
      ...(settings.direct ? startupParameters(settings) : {}),
    });
    this.#client.on("error", (error) => this.#lost(error));
    this.#client.on("end", () => this.#lost(new Error("the connection was closed")));
  }

  /** Rejects with the driver's error. */
  static async open(settings: SessionSettings): Promise<Session> {
    const session = new Session(settings);
    try {
      await session.#client.connect();
      return session;
    } catch (error) {
      session.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  get usable(): boolean {
    return this.#lossReason === undefined && !this.#closing;
  }

  get lossReason(): Error | undefined {
    return this.#lossReason;
  }

  /** The process that the server named when the session began; behind a pooler a number of the pooler's. */
  get announcedProcess(): number | undefined {
    const id = (this.#client as unknown as { processID: unknown }).processID;
    return typeof id === "number" ? id : undefined;
  }

  /** Fulfilled when it can't be used any more. */
  get ended(): Promise<"lost" | "closed"> {
    return this.#ended.promise;
  }

  set onNotification(listener: (payload: string) => void) {
    this.#client.on("notification", (message) => listener(message.payload ?? ""));
  }

  /** Sends at once, behind what is under way. `named` prepares it for later uses. */
  async query(statement: Statement, values: readonly Parameter[], named: boolean): Promise<Answer> {
    const { rows, rowCount } = await this.#send({
      text: statement.text,
      values: values as unknown[],
      ...(named ? { name: statement.name } : {}),
    });
    return { rows, rowCount: rowCount ?? 0 };
  }

  /** A command without values or rows; gives its tag. */
  async command(text: string): Promise<string> {
    return (await this.#send({ text })).command;
  }

  /** What `send` sends leaves in one piece. */
  together<T>(send: () => T): T {
    const { stream } = this.#client.connection;
    stream.cork();
    try {
      return send();
    } finally {
      stream.uncork();
    }
  }

  /** Says goodbye; statements under way come to their end first. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#lossReason !== undefined) return;
    this.#ended.resolve("closed");
    const cut = setTimeout(() => this.#client.connection.stream.destroy(), limits.closeGraceMs);
    await this.#client.end();
    clearTimeout(cut);
  }

  /** Cuts the connection. Statements under way fail. */
  destroy(reason: Error): void {
    this.#lost(reason);
    this.#client.connection.stream.destroy();
  }

  async #send(config: { text: string; values?: unknown[]; name?: string }): Promise<pg.QueryArrayResult> {
    if (this.#lossReason !== undefined) throw this.#lossReason;
    this.statements++;
    const limit = this.#answerLimit();
    try {
      return await this.#client.query({ ...config, rowMode: "array" });
    } catch (error) {
      if (endsSession(error)) this.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  /** The server limits its own work; this limits the waiting for a server or a network that says nothing at all. */
  #answerLimit(): NodeJS.Timeout | undefined {
    const afterMs = this.#answerTimeoutMs;
    if (afterMs === 0) return undefined;
    return setTimeout(() => this.destroy(new Error(`no answer within ${afterMs} ms`)), afterMs);
  }

  #lost(reason: Error): void {
    if (this.#lossReason !== undefined || this.#closing) return;
    this.#lossReason = reason;
    this.#ended.resolve("lost");
  }
}

function startupParameters(settings: SessionSettings): pg.ClientConfig {
  return {
    statement_timeout: settings.statementTimeoutMs,
    lock_timeout: settings.lockTimeoutMs,
    idle_in_transaction_session_timeout: settings.statementTimeoutMs,
    ...(settings.options === "" ? {} : { options: settings.options }),
  };
}
