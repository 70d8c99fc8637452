import { limits } from "../limits.ts";
import type { Page } from "../operations/index.ts";

/** The rows of a page, and the last of them if more follow. */
export interface Cut<Row> {
  readonly rows: readonly Row[];
  /** Undefined = that was the last page. */
  readonly last: Row | undefined;
}

/** Cuts a page out of rows in the order of the listing; `behind` says which rows come after the place of the cursor. */
export function cutPage<Row>(rows: readonly Row[], page: Page, behind: ((row: Row) => boolean) | undefined): Cut<Row> {
  const rest = behind === undefined ? rows.slice(page.offset ?? 0) : rows.filter(behind);
  const limit = Math.min(page.limit, limits.listRowsMax);
  const cut = rest.slice(0, limit);
  return { rows: cut, last: rest.length > limit ? cut.at(-1) : undefined };
}

/** Of texts, as databases compare bytes. */
export function compareTexts(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
