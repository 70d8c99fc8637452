import type { BadCursor } from "../operations/index.ts";

export const badCursor: BadCursor = { outcome: "badCursor" };

/**
 * Cursors are texts that only the engine which made them reads: the name of a listing and the place behind which the next page begins.
 * Numbers and texts alone, so that a cursor holds nothing open.
 */
export function cursorOf(listing: string, place: readonly (number | string)[]): string {
  return Buffer.from(JSON.stringify([listing, ...place])).toString("base64url");
}

/** The place, or undefined if `cursor` is none of this listing's. `shape` has an example of each member. */
export function placeOf<const Shape extends readonly (number | string)[]>(
  listing: string,
  cursor: string,
  shape: Shape,
): { [Index in keyof Shape]: Shape[Index] extends number ? number : string } | undefined {
  const members = parsed(cursor);
  if (!Array.isArray(members) || members.length !== shape.length + 1 || members[0] !== listing) return undefined;
  const place: unknown[] = members.slice(1);
  if (!place.every((member, index) => isLike(member, shape[index]))) return undefined;
  return place as unknown as { [Index in keyof Shape]: Shape[Index] extends number ? number : string };
}

/** No database takes a text with U+0000. */
function isLike(member: unknown, example: number | string | undefined): boolean {
  if (typeof example === "number") return Number.isSafeInteger(member);
  return typeof member === "string" && !member.includes("\0");
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return undefined;
  }
}
