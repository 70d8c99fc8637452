import { StoreError } from "../../errors.ts";
import { isSignOfPooler, storeErrorFrom } from "./errors.ts";
import { closed, type Link } from "./link.ts";
import { OpenTransaction } from "./open-transaction.ts";
import type { Answer, Parameter, Sessions, Statement, Transaction } from "./port.ts";
import type { Session } from "./session.ts";

type Use<T> = (session: Session, named: boolean) => Promise<T>;

interface Waiting {
  readonly take: (session: Session) => void;
  readonly fail: (error: unknown) => void;
}

/** Some connections that are opened on demand and take turns. */
export class SessionPool implements Sessions {
  readonly size: number;
  readonly #link: Link;
  /** Uses of readers may be carried out again after a loss: they write nothing. */
  readonly #purpose: "write" | "read";
  readonly #idle: Session[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #sweeper: NodeJS.Timeout;
  /** Places whose connection is in use, on its way to the next use, or being opened. The others are empty or in `#idle`. */
  #taken = 0;
  #whenQuiet: (() => void) | undefined;

  constructor(link: Link, size: number, purpose: "write" | "read") {
    this.#link = link;
    this.size = size;
    this.#purpose = purpose;
    this.#sweeper = setInterval(() => this.#closeIdle(Date.now()), link.options.idleConnectionMs).unref();
  }

  get busy(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  query(statement: Statement, values: readonly Parameter[]): Promise<Answer> {
    return this.#using(async (session, named) => {
      try {
        return await session.query(statement, values, named);
      } catch (error) {
        throw isSignOfPooler(error) ? error : storeErrorFrom(error, this.#purpose === "read" ? "unchanged" : "unknown");
      }
    });
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#using((session, named) => inTransaction(session, named, work));
  }

  /** Takes in a connection that is open already. */
  put(session: Session): void {
    this.#taken++;
    this.#release(session);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    for (const { fail } of this.#waiting.splice(0)) fail(closed());
    if (this.#taken > 0) {
      await new Promise<void>((resolve) => {
        this.#whenQuiet = resolve;
      });
    }
    await Promise.all(this.#idle.splice(0).map((session) => session.close()));
  }

  /** Carries out again, once, what has certainly changed nothing and can succeed; nothing else. */
  async #using<T>(use: Use<T>): Promise<T> {
    const { named } = this.#link;
    try {
      return await this.#once(use, named);
    } catch (error) {
      if (named && isSignOfPooler(error)) this.#link.namesRefused();
      else if (this.#purpose === "write" || !isLoss(error)) throw isSignOfPooler(error) ? storeErrorFrom(error) : error;
    }
    try {
      return await this.#once(use, this.#link.named);
    } catch (error) {
      throw isSignOfPooler(error) ? storeErrorFrom(error) : error;
    }
  }

  async #once<T>(use: Use<T>, named: boolean): Promise<T> {
    const session = await this.#acquire();
    try {
      return await use(session, named);
    } finally {
      this.#release(session);
    }
  }

  #acquire(): Promise<Session> {
    if (this.#link.closing.aborted) return Promise.reject(closed());
    for (let session = this.#idle.pop(); session !== undefined; session = this.#idle.pop()) {
      if (!session.usable) continue;
      this.#taken++;
      return Promise.resolve(session);
    }
    if (this.#taken === this.size) {
      return new Promise<Session>((take, fail) => this.#waiting.push({ take, fail }));
    }
    this.#taken++;
    return this.#open();
  }

  /** Fills a taken place. */
  async #open(): Promise<Session> {
    try {
      return await this.#link.connect(this.#purpose);
    } catch (error) {
      this.#vacate();
      throw error;
    }
  }

  #release(session: Session): void {
    if (!session.usable) this.#vacate();
    else if (this.#waiting.length > 0) this.#waiting.shift()?.take(session);
    else {
      session.idleSinceMs = Date.now();
      this.#idle.push(session);
      this.#untake();
    }
  }

  /** A taken place has no connection any more: whoever waits gets the place. */
  #vacate(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#untake();
    else void this.#open().then(next.take, next.fail);
  }

  #untake(): void {
    this.#taken--;
    if (this.#taken === 0) this.#whenQuiet?.();
  }

  #closeIdle(nowMs: number): void {
    const staleBefore = nowMs - this.#link.options.idleConnectionMs;
    const kept = this.#idle.filter((session) => session.usable && session.idleSinceMs > staleBefore);
    for (const session of this.#idle) if (!kept.includes(session)) void session.close();
    this.#idle.splice(0, this.#idle.length, ...kept);
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof StoreError && error.code === "UNAVAILABLE";
}

export async function inTransaction<T>(
  session: Session,
  named: boolean,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const transaction = new OpenTransaction(session, named);
  let result: T;
  try {
    result = await work(transaction);
  } catch (error) {
    const told = await transaction.rollback(error);
    throw isSignOfPooler(transaction.failure) ? transaction.failure : told;
  }
  try {
    await transaction.commit();
  } catch (error) {
    throw isSignOfPooler(transaction.failure) ? transaction.failure : error;
  }
  return result;
}
