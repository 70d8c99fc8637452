// Small pieces of SQL that several statements share. Columns of the original are timestamps, ours are milliseconds.

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
  return /^-?\d{1,19}$/.test(text) && Math.abs(Number(text)) < 9.2e18;
}
