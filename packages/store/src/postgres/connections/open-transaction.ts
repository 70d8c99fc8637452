import { StoreError } from "../../errors.ts";
import { sqlState, storeErrorFrom } from "./errors.ts";
import type { Answer, Parameter, Statement, Transaction } from "./port.ts";
import type { Session } from "./session.ts";

const abortedTransaction = "25P02";

/** A transaction that is under way on a session. */
export class OpenTransaction implements Transaction {
  readonly #session: Session;
  readonly #named: boolean;
  #begun: Promise<unknown> | undefined;
  /** The first thing that went wrong; everything after it is only its consequence. */
  #failure: unknown;
  #ended = false;

  constructor(session: Session, named: boolean) {
    this.#session = session;
    this.#named = named;
  }

  get failure(): unknown {
    return this.#failure;
  }

  query(statement: Statement, values: readonly Parameter[]): Promise<Answer> {
    const answer = this.#query(statement, values);
    // Whoever asked may look away: a failure is told at the end of the transaction anyway.
    answer.catch(() => undefined);
    return answer;
  }

  async #query(statement: Statement, values: readonly Parameter[]): Promise<Answer> {
    if (this.#ended) throw new StoreError("INTERNAL", `'${statement.name}' was sent after the end of its transaction`);
    try {
      return await this.#sent(() => this.#session.query(statement, values, this.#named));
    } catch (error) {
      // Until COMMIT is sent a loss undoes everything; COMMIT's own answer tells of a loss after that.
      throw storeErrorFrom(error);
    }
  }

  /** Behind all that is under way. Throws the first failure; UNKNOWN_OUTCOME if the connection was lost meanwhile. */
  async commit(): Promise<void> {
    this.#ended = true;
    if (this.#begun === undefined) return;
    // Lost before COMMIT was sent: nothing has been committed.
    if (!this.#session.usable) throw storeErrorFrom(this.#failure ?? this.#session.lossReason);
    let tag: string;
    try {
      tag = await this.#session.command("COMMIT");
    } catch (error) {
      throw storeErrorFrom(this.#failure ?? error, "unknown");
    }
    if (this.#failure !== undefined) throw storeErrorFrom(this.#failure);
    if (tag !== "COMMIT") throw new StoreError("INTERNAL", `COMMIT was answered by '${tag}'; nothing was changed`);
  }

  /** `cause`: why. Gives the error to be told instead of it: the first failure where `cause` is only its consequence. */
  async rollback(cause: unknown): Promise<unknown> {
    this.#ended = true;
    if (this.#begun !== undefined && this.#session.usable) {
      await this.#session.command("ROLLBACK").catch((error: Error) => this.#session.destroy(error));
    }
    return sqlState(cause) === abortedTransaction ? storeErrorFrom(this.#failure) : cause;
  }

  #sent(send: () => Promise<Answer>): Promise<Answer> {
    return this.#session.together(() => {
      this.#begun ??= this.#noted(this.#session.command("BEGIN"));
      return this.#noted(send());
    });
  }

  #noted<T>(answer: Promise<T>): Promise<T> {
    answer.catch((error: unknown) => {
      this.#failure ??= error;
    });
    return answer;
  }
}
