import type { InstanceStatus } from "../model.ts";

// Small pieces of SQL that several statements share. Columns of the original are timestamps, ours are milliseconds.

/** Statuses as the literals of an IN. */
export function listed(statuses: readonly InstanceStatus[]): string {
  return statuses.map((status) => `'${status}'`).join(", ");
}

/** Takes the lock of that name, which all processes on the database share, to the end of the transaction. */
export function lockOf(name: string): string {
  return `pg_advisory_xact_lock(hashtext('runtara'), hashtext('${name}'))`;
}

/** A timestamptz as whole milliseconds since the Unix epoch; rows of the original have microseconds, which are cut off. */
export function msOf(column: string): string {
  return `floor(extract(epoch FROM ${column})::numeric * 1000)::int8`;
}

/** Milliseconds since the Unix epoch as timestamptz, exact for every year that PostgreSQL knows. */
export function timestampOf(ms: string): string {
  return `(timestamp 'epoch' + make_interval(days => (${ms} / 86400000)::int, secs => (${ms} % 86400000) / 1000.0)) AT TIME ZONE 'UTC'`;
}

/** A timestamptz as text of whole microseconds since the Unix epoch, which is all that it holds; for cursors. */
export function microsOf(column: string): string {
  return `(extract(epoch FROM ${column})::numeric * 1000000)::int8::text`;
}

/** What `microsOf` gave as timestamptz. */
export function timestampOfMicros(micros: string): string {
  return `(timestamp 'epoch' + make_interval(days => (${micros}::int8 / 86400000000)::int, secs => (${micros}::int8 % 86400000000) / 1000000.0)) AT TIME ZONE 'UTC'`;
}

/** Whether a cursor's text may be what `microsOf` gave: of a time that PostgreSQL knows. */
export function isMicros(text: string): boolean {
  const micros = /^-?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  return micros > -2.1e17 && micros < 9.2e18;
}
