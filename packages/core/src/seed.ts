import { randomFillSync } from "node:crypto";

const seedBytes = 16;
/** The machine is asked for many seeds at once: each question costs as much as a row of a table. */
const drawn: Uint8Array = new Uint8Array(256 * seedBytes);
let used = drawn.length;

/** What a new instance draws its random numbers from. */
export function newSeed(): Uint8Array {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += seedBytes;
  return drawn.slice(used - seedBytes, used);
}
