import type { BadCursor, PageEnd } from "@runtara/store";
import type { PageCursors } from "./page-cursors.ts";

/** A page by offset, as the base protocol asks for it. */
export interface OffsetPage {
  readonly limit: number;
  readonly offset: number;
}

type CountedPage = PageEnd & { readonly outcome: "page"; readonly total: number | undefined };

/**
 * Reads the page at `offset` of a listing that the store pages by cursors, and the true total of the listing.
 * `read`: the store's operation with its place; `rowsOf`: the number of rows of a page.
 */
export async function readPage<Page extends CountedPage>(
  cursors: PageCursors,
  listing: string,
  { limit, offset }: OffsetPage,
  read: (place: {
    readonly limit: number;
    readonly offset?: number;
    readonly cursor?: string;
  }) => Promise<Page | BadCursor>,
  rowsOf: (page: Page) => number,
): Promise<{ readonly page: Page; readonly total: number }> {
  const cursor = offset === 0 ? undefined : cursors.find(listing, offset);
  const [found, counted] = await Promise.all([
    cursor === undefined ? undefined : read({ limit, cursor }),
    cursor === undefined ? read({ limit, offset }) : read({ limit: 0, offset: 0 }),
  ]);
  // A cursor that the store does not know any more (it was opened anew) is as good as none.
  const page = isPage(found) ? found : found === undefined ? counted : await read({ limit, offset });
  if (!isPage(page) || !isPage(counted)) throw new Error("the store refused a page without a cursor");
  if (page.nextCursor !== undefined) cursors.keep(listing, offset + rowsOf(page), page.nextCursor);
  return { page, total: counted.total ?? 0 };
}

function isPage<Page extends CountedPage>(result: Page | BadCursor | undefined): result is Page {
  return result?.outcome === "page";
}
