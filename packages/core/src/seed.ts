import { randomBytes } from "node:crypto";

/** What a new instance draws its random numbers from. */
export function newSeed(): Uint8Array {
  return randomBytes(16);
}
