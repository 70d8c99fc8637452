// SPDX-License-Identifier: AGPL-3.0-or-later
// How a test file claims a cell of the matrix.
import { test } from "node:test";
import { type Call, calls, cellTitle, type Direction } from "./calls.ts";

/** Declares the test of one cell. Throws at once for a cell that the matrix does not have. */
export function cell(direction: Direction, call: Call, body: () => Promise<void>): void {
  const where: readonly Direction[] = calls[call];
  if (!where.includes(direction)) throw new Error(`the matrix has no cell for ${cellTitle(direction, call)}`);
  void test(cellTitle(direction, call), { timeout: 120_000 }, body);
}
