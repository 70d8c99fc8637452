import { limits } from "../limits.ts";
import type { Page } from "../operations/index.ts";

/** Rows of a page at most. */
export function limitOf({ limit }: Pick<Page, "limit">): number {
  return Math.min(limit, limits.listRowsMax);
}

/** With a cursor the offset does not count. */
export function offsetOf({ cursor, offset = 0 }: Page): number {
  return cursor === undefined ? offset : 0;
}

/** The rows of a page out of at least one more than that, if there are so many; and the last of them if more follow. */
export function cutPage<Row>(
  found: readonly Row[],
  limit: number,
): { readonly rows: readonly Row[]; readonly last: Row | undefined } {
  const rows = found.slice(0, limit);
  return { rows, last: found.length > limit ? rows.at(-1) : undefined };
}
