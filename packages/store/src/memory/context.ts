import { type Changes, type InstanceRow, noticesOf, type WideDecision } from "../decide/index.ts";
import type { Notice } from "../store.ts";
import type { MemoryDatabase } from "./database.ts";
import type { InstanceRecord } from "./records.ts";
import { writeChanges } from "./write-changes.ts";

/** What operations of one flush work on. */
export class Context {
  readonly database: MemoryDatabase;
  /** To be told once all is done. */
  readonly notices: Notice[] = [];

  constructor(database: MemoryDatabase) {
    this.database = database;
  }

  record(instanceId: string): InstanceRecord | undefined {
    return this.database.instances.get(instanceId);
  }

  /** As an operator sees it: another tenant's instance does not exist. */
  visible({ instanceId, tenantId }: { instanceId: string; tenantId?: string }): InstanceRecord | undefined {
    const record = this.record(instanceId);
    return tenantId === undefined || record?.row.tenantId === tenantId ? record : undefined;
  }

  write(instanceId: string, changes: Changes | undefined): void {
    if (changes === undefined) return;
    writeChanges(this.database, instanceId, changes);
    this.notices.push(...noticesOf(changes, instanceId));
  }

  /** Writes what a decision about one instance changes in it and in others. */
  writeWide({ instanceId }: Pick<InstanceRow, "instanceId">, { changes, others }: WideDecision<unknown>): void {
    this.write(instanceId, changes);
    for (const other of others) this.write(other.instanceId, other.changes);
  }
}
