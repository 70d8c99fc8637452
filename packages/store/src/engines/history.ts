import type { HistoryEntry } from "../model.ts";

/** How far each of the four lists has been shown: the last place or signal id. */
export type Places = readonly [checkpoint: number, event: number, retry: number, signal: number];

export const beginning: Places = [0, 0, 0, 0];

/** One entry with its list and its place there. */
export interface Placed {
  readonly list: 0 | 1 | 2 | 3;
  readonly place: number;
  readonly entry: HistoryEntry;
}

export function placesAfter(places: Places, shown: readonly Placed[]): Places {
  const after: [number, number, number, number] = [...places];
  for (const { list, place } of shown) after[list] = place;
  return after;
}

/**
 * The four lists merged by time, of equal times in the order of the lists; at most `max`. Each list stays in its own order, also where its
 * times do not grow.
 */
export function merged(lists: readonly (readonly Placed[])[], max: number): Placed[] {
  const result: Placed[] = [];
  const heads = lists.map(() => 0);
  while (result.length < max) {
    let next: Placed | undefined;
    for (const [list, rows] of lists.entries()) {
      const head = rows[heads[list] ?? 0];
      if (head !== undefined && (next === undefined || head.entry.atMs < next.entry.atMs)) next = head;
    }
    if (next === undefined) break;
    result.push(next);
    heads[next.list] = (heads[next.list] ?? 0) + 1;
  }
  return result;
}
