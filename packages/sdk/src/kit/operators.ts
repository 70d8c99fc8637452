import { createCore } from "@runtara/core";
import { Calls } from "../client/calls.ts";
import { writeHistoryFile } from "../client/history-file.ts";
import { openDatabase } from "../embedded/database.ts";
import { LocalOperator } from "../embedded/local-operator.ts";
import type { Operator } from "../ports/operator.ts";
import { systemClock } from "../run/timers.ts";

/** One who asks and orders, and runs nothing. */
export interface OpenOperator {
  readonly operator: Operator;
  readonly tenantId: string;
  close(): Promise<void>;
}

/** On a database. @throws ConfigError, ConnectionError */
export async function openOperator(databaseUrl: string, tenantId: string): Promise<OpenOperator> {
  const { store, close } = await openDatabase(databaseUrl, {});
  const core = createCore({ store });
  const operator = new LocalOperator({ core, store, tenantId });
  return {
    operator,
    tenantId,
    async close() {
      operator.close();
      await core.close();
      await close();
    },
  };
}

/** The lines of a history file, each with its line feed. @throws NotFoundError, UnsupportedError, ConnectionError */
export function exportHistory(
  { operator, tenantId }: Pick<OpenOperator, "operator" | "tenantId">,
  instanceId: string,
): AsyncIterable<string> {
  return writeHistoryFile({ operator, tenantId, calls: new Calls(systemClock) }, instanceId);
}

/** Lets an instance go on that is paused or does not fit its code. @throws NotFoundError, UnsupportedError, ConnectionError */
export async function resumeInstance({ operator }: Pick<OpenOperator, "operator">, instanceId: string): Promise<void> {
  await new Calls(systemClock).once(`resume of instance ${instanceId}`, () => operator.order(instanceId, "resume"));
}
