import type { Page } from "../ports/operator.ts";

/** The rows of all pages, each asked for when the one before is used up. */
export async function* pagesOf<Row>(read: (cursor: string | undefined) => Promise<Page<Row>>): AsyncGenerator<Row> {
  let cursor: string | undefined;
  do {
    const page: Page<Row> = await read(cursor);
    yield* page.rows;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
