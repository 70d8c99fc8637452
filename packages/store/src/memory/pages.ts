import { cutPage as cutRows, limitOf } from "../engines/pages.ts";
import type { Page } from "../operations/index.ts";

/** Cuts a page out of rows in the order of the listing; `behind` says which rows come after the place of the cursor. */
export function cutPage<Row>(
  rows: readonly Row[],
  page: Page,
  behind: ((row: Row) => boolean) | undefined,
): ReturnType<typeof cutRows<Row>> {
  return cutRows(behind === undefined ? rows.slice(page.offset ?? 0) : rows.filter(behind), limitOf(page));
}

/** Of texts, as databases compare bytes. */
export function compareTexts(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
