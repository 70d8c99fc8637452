import type { Changes } from "../../decide/index.ts";
import { ChangeWriter } from "../change-writer.ts";
import type { CheckpointIndex } from "../checkpoint-index.ts";
import type { Entry, InstanceRows } from "../instance-rows.ts";
import type { NoticeBox } from "../notice-box.ts";
import { SignalIds } from "../signal-ids.ts";
import type { Connection } from "../statements.ts";

/** What the operations work on. They run inside the transaction of their batch. */
export class Context {
  readonly connection: Connection;
  readonly rows: InstanceRows;
  readonly checkpoints: CheckpointIndex;
  readonly signalIds: SignalIds;
  readonly notices: NoticeBox;
  readonly #writer: ChangeWriter;

  constructor(connection: Connection, rows: InstanceRows, checkpoints: CheckpointIndex, notices: NoticeBox) {
    this.connection = connection;
    this.rows = rows;
    this.checkpoints = checkpoints;
    this.notices = notices;
    this.signalIds = new SignalIds(connection);
    this.#writer = new ChangeWriter(connection, this);
  }

  /** Writes what a decision says, if anything, and notes whom it concerns. */
  write(instanceId: string, changes: Changes | undefined): void {
    if (changes === undefined) return;
    this.#writer.apply(instanceId, changes);
    this.notices.note(changes, instanceId);
  }

  /** The instance as an operator of this tenant sees it. */
  seen({ instanceId, tenantId }: { readonly instanceId: string; readonly tenantId?: string }): Entry | undefined {
    const entry = this.rows.get(instanceId);
    return entry === undefined || tenantId === undefined || entry.row.tenantId === tenantId ? entry : undefined;
  }
}

export const emptyBytes: Uint8Array = new Uint8Array(0);
