import type { Logger } from "../api/runtime.ts";
import { limits } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Operator } from "../ports/operator.ts";

export interface UnknownWorkflowsOptions {
  readonly operator: Pick<Operator, "query">;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Names that this process runs by now. */
  readonly served: () => ReadonlySet<string>;
}

/**
 * One warning, some time after the beginning, if unfinished instances belong to workflows that this process does not run: perhaps one was left
 * out. Nothing waits for it, and they stay as they are. The result gives the look up.
 */
export function warnOfUnknownWorkflows({ operator, logger, clock, served }: UnknownWorkflowsOptions): () => void {
  const look = async (): Promise<void> => {
    const { counts, isAll } = await countUnknown(operator, served());
    if (counts.size === 0) return;
    const names = [...counts].map(([name, count]) => `${name} (${count})`).join(", ");
    const among = isAll ? "" : ", among the newest that were looked at";
    const remedy = "if no other process runs them, name them in the option workflows";
    logger.warn({}, `unfinished instances of workflows that this process does not run${among}: ${names}; ${remedy}`);
  };
  // What fails here fails elsewhere, too, and is told there.
  return clock.after(limits.unknownWorkflowsAfterMs, () => void look().catch(() => undefined));
}

async function countUnknown(
  operator: Pick<Operator, "query">,
  known: ReadonlySet<string>,
): Promise<{ readonly counts: ReadonlyMap<string, number>; readonly isAll: boolean }> {
  const counts = new Map<string, number>();
  const statuses = ["pending", "running", "suspended"] as const;
  let cursor: string | undefined;
  for (let page = 0; page < limits.unknownWorkflowsPagesMax; page++) {
    const { rows, nextCursor } = await operator.query({
      statuses,
      tags: {},
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { workflow } of rows) {
      if (workflow !== null && !known.has(workflow)) counts.set(workflow, (counts.get(workflow) ?? 0) + 1);
    }
    if (nextCursor === undefined) return { counts, isAll: true };
    cursor = nextCursor;
  }
  return { counts, isAll: false };
}
