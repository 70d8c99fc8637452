import type { Parameter, Statement, Transaction } from "./connections/port.ts";

/**
 * Sends a statement of a transaction whose answer nobody needs: COMMIT waits for it, and fails if it failed.
 */
export function send(transaction: Transaction, statement: Statement, values: readonly Parameter[]): void {
  transaction.query(statement, values).catch(() => undefined);
}
