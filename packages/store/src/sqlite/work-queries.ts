import type { ClaimWork } from "../operations/index.ts";
import type { Connection } from "./statements.ts";

export interface Worker {
  readonly leaseUntilMs: number;
  /** Of its last answer with work. */
  readonly sequence: number;
}

/** Leases are looked at first, and then what their workers hold: SQLite by itself would walk all instances of the workflow. */
function prepare(connection: Connection) {
  const sql = (text: string) => connection.prepare(text);
  return {
    worker: sql("SELECT lease_until, claims FROM workers WHERE worker_id = ?"),
    keepWorker: sql(
      `INSERT INTO workers (worker_id, lease_until, claims) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET lease_until = excluded.lease_until, claims = excluded.claims`,
    ),
    unconfirmed: sql(
      `SELECT instance_id FROM instances WHERE holder = ? AND status = 'running' AND claim_sequence > ?
       ORDER BY claim_sequence, instance_id`,
    ),
    running: sql("SELECT count(*) FROM instances WHERE status = 'running'"),
    ready: sql(
      `SELECT instance_id, ready_at FROM instances
       WHERE tenant_id = ? AND workflow = ? AND ifnull(version, '') = ? AND ready_at <= ? AND ready_at IS NOT NULL
         AND status IN ('pending', 'suspended')
       ORDER BY ready_at, instance_id LIMIT ?`,
    ),
    abandoned: sql(
      `SELECT instance_id, lease_until FROM workers CROSS JOIN instances INDEXED BY instances_by_holder ON holder = worker_id
       WHERE lease_until <= ? AND status = 'running' AND tenant_id = ? AND workflow = ?
         AND ifnull(version, '') IN (SELECT value FROM json_each(?))
       ORDER BY lease_until, instance_id LIMIT ?`,
    ),
    nextReady: sql(
      `SELECT ready_at FROM instances
       WHERE tenant_id = ? AND workflow = ? AND ifnull(version, '') = ? AND ready_at > ? AND ready_at IS NOT NULL
       ORDER BY ready_at LIMIT 1`,
    ),
    nextLease: sql(
      `SELECT lease_until FROM workers
       WHERE lease_until > ? AND EXISTS (
         SELECT 1 FROM instances INDEXED BY instances_by_holder WHERE holder = worker_id AND status = 'running' AND tenant_id = ? AND workflow = ?
           AND ifnull(version, '') IN (SELECT value FROM json_each(?)))
       ORDER BY lease_until LIMIT 1`,
    ),
  };
}

/** What claims ask the tables. Rows that have been changed in memory must have been written before. */
export class WorkQueries {
  readonly #statements;

  constructor(connection: Connection) {
    this.#statements = prepare(connection);
  }

  worker(workerId: string): Worker | undefined {
    const found = this.#statements.worker.get<[number, number]>(workerId);
    return found && { leaseUntilMs: found[0], sequence: found[1] };
  }

  keepWorker(workerId: string, leaseUntilMs: number, sequence: number): void {
    this.#statements.keepWorker.run(workerId, leaseUntilMs, sequence);
  }

  /** What answers brought that this worker has not got. */
  unconfirmed({ workerId, received }: ClaimWork): string[] {
    return this.#statements.unconfirmed.all<[string]>(workerId, received).map(([id]) => id);
  }

  runningCount(): number {
    return this.#statements.running.get<[number]>()?.[0] ?? 0;
  }

  /** Claimable ones, earliest first. */
  ready({ tenantId, offers, nowMs }: ClaimWork, limit: number): string[] {
    if (limit <= 0) return [];
    const found = offers.flatMap(({ name, versions }) =>
      withNone(versions).flatMap((version) =>
        this.#statements.ready.all<[string, number]>(tenantId, name, version, nowMs, limit),
      ),
    );
    return earliest(found, limit);
  }

  /** Running ones whose holder's lease has ended, the longest ago first. */
  abandoned({ tenantId, offers, nowMs }: ClaimWork, limit: number): string[] {
    if (limit <= 0) return [];
    const found = offers.flatMap(({ name, versions }) => {
      const wanted = JSON.stringify(withNone(versions));
      return this.#statements.abandoned.all<[string, number]>(nowMs, tenantId, name, wanted, limit);
    });
    return earliest(found, limit);
  }

  /** The next time at which something becomes ready or a lease ends. */
  nextReadyAtMs({ tenantId, offers, nowMs }: ClaimWork): number | undefined {
    const times = offers.flatMap(({ name, versions }) => [
      this.#statements.nextLease.get<[number]>(nowMs, tenantId, name, JSON.stringify(withNone(versions)))?.[0],
      ...withNone(versions).map(
        (version) => this.#statements.nextReady.get<[number]>(tenantId, name, version, nowMs)?.[0],
      ),
    ]);
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : known.reduce((a, b) => Math.min(a, b));
  }
}

/** An offer also takes instances that are bound to no version. */
function withNone(versions: readonly string[]): string[] {
  return [...new Set([...versions, ""])];
}

/** By time, then by the bytes of the ids; what several offers name comes once. */
function earliest(found: readonly (readonly [id: string, at: number])[], limit: number): string[] {
  const sorted = found.toSorted(([a, at], [b, bt]) => at - bt || Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return [...new Set(sorted.map(([id]) => id))].slice(0, limit);
}
