import type { Commit, CrashPoint } from "./dying-store.ts";

/** A body that was run. */
export interface Execution {
  readonly life: number;
  readonly instanceId: string;
  readonly id: string;
  readonly attempt: number;
  /** Its outcome had been acknowledged before. */
  readonly isRepeated: boolean;
}

/** What died, and where. */
export interface Death {
  readonly point: CrashPoint;
  readonly label: string;
}

/** Notes what a judge needs to know of one run: bodies, commits, deaths and what the engine complained about. */
export class Recorder {
  readonly executions: Execution[] = [];
  /** Of the first life, in order. */
  readonly commits: string[] = [];
  readonly deaths: Death[] = [];
  readonly warnings: string[] = [];
  /** Bodies that the workflow did not wait for. */
  readonly abandoned: string[] = [];
  /** Reports of code that does not fit its history. */
  readonly divergences: string[] = [];
  readonly #acknowledged = new Set<string>();

  began(execution: Omit<Execution, "isRepeated">): void {
    const isRepeated = this.#acknowledged.has(`${execution.instanceId} ${execution.id}`);
    this.executions.push({ ...execution, isRepeated });
  }

  committed(life: number, commit: Commit): void {
    if (life === 1) this.commits.push(labelOf(commit));
    const { operation } = commit;
    if (!("instanceId" in operation)) return;
    for (const id of commit.ids) this.#acknowledged.add(`${String(operation.instanceId)} ${id}`);
  }

  died(commit: Commit, point: CrashPoint): void {
    this.deaths.push({
      point,
      label: `${point.when} commit ${commit.number} of life ${this.deaths.length + 1} (${labelOf(commit)})`,
    });
  }
}

/** A commit in words. */
function labelOf({ operation, ids }: Commit): string {
  switch (operation.kind) {
    case "saveBatch": {
      if (ids.length > 0)
        return `checkpoint ${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ` and ${ids.length - 3} more` : ""}`;
      return "published values and events";
    }
    case "saveCheckpoint":
      return `checkpoint ${operation.checkpointId}`;
    case "recordRetry":
      return `attempt ${operation.attempt} of ${operation.checkpointId} is planned`;
    case "suspendUntil":
      return "suspension";
    case "startInstance":
      return `start of ${operation.instanceId}`;
    case "appendEvent":
      return operation.type === "custom" ? `event ${operation.subtype ?? ""}` : operation.type;
    case "acknowledgeSignal":
      return `${operation.signal} is acknowledged`;
    case "sendCustomSignal":
      return `signal ${operation.name} to ${operation.instanceId}`;
    default:
      return operation.kind;
  }
}
