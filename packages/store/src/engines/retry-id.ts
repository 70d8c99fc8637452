/** `{base}::retry::{n}`: the id under which a retry record is listed, and read where no checkpoint has it (spec 4.5). */
export function retryId(checkpointId: string, attempt: number): string {
  return `${checkpointId}::retry::${attempt}`;
}

/** The other way round; undefined = it is no such id. */
export function parseRetryId(checkpointId: string): { readonly base: string; readonly attempt: number } | undefined {
  const [, base, digits] = /^(.*)::retry::(0|-?[1-9]\d{0,9})$/s.exec(checkpointId) ?? [];
  return base === undefined || digits === undefined ? undefined : { base, attempt: Number(digits) };
}
