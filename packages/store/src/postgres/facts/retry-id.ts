/** `{base}::retry::{n}`: the id under which a retry record can be read where no checkpoint has it (spec 4.5). */
export function parseRetryId(checkpointId: string): { readonly base: string; readonly attempt: number } | undefined {
  const [, base, digits] = /^(.*)::retry::(0|-?[1-9]\d{0,9})$/s.exec(checkpointId) ?? [];
  return base === undefined || digits === undefined ? undefined : { base, attempt: Number(digits) };
}
