import { limits } from "../../limits.ts";
import { sqlState } from "../connections/errors.ts";
import type { Connections, Sessions, Statement, Transaction } from "../connections/port.ts";
import { send } from "../send.ts";

/** $1 how long at most, to the end of the transaction. */
const lockTimeoutStatement: Statement = {
  name: "lock_timeout",
  text: "SELECT set_config('lock_timeout', $1, true)",
};

const lockNotAvailable = "55P03";

/**
 * A transaction on `sessions`, where others wait for their turn. For a lock that takes longer than `limits.turnLockTimeoutMs` it waits aside, where
 * retention works, as long as any statement may; then `work` is called a second time, and the first call has changed nothing.
 */
export async function inTurn<T>(
  connections: Connections,
  sessions: Sessions,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  try {
    return await sessions.transaction((transaction) => {
      send(transaction, lockTimeoutStatement, [`${limits.turnLockTimeoutMs}`]);
      return work(transaction);
    });
  } catch (error) {
    if (sqlState(error) !== lockNotAvailable) throw error;
    return await connections.slow.transaction(work);
  }
}
