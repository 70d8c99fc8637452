// SPDX-License-Identifier: AGPL-3.0-or-later
// Outcomes of the cells' tests as one table.
import { type Call, calls, cellTitle, type Direction, directions } from "./calls.ts";

export type Cell = "ok" | "FAIL" | "–";

export interface Matrix {
  readonly directions: readonly string[];
  readonly rows: readonly { readonly call: string; readonly cells: readonly Cell[] }[];
  readonly ok: boolean;
}

/** `passed` tells by test title whether that test ran and passed. A cell whose test did not run has failed. */
export function matrixOf(passed: ReadonlyMap<string, boolean>): Matrix {
  const columns = Object.keys(directions) as Direction[];
  const rows = (Object.keys(calls) as Call[]).map((call) => ({
    call,
    cells: columns.map((direction) => cellOf(passed, direction, call)),
  }));
  return {
    directions: Object.values(directions),
    rows,
    ok: rows.every((row) => !row.cells.includes("FAIL")),
  };
}

function cellOf(passed: ReadonlyMap<string, boolean>, direction: Direction, call: Call): Cell {
  const where: readonly Direction[] = calls[call];
  if (!where.includes(direction)) return "–";
  return passed.get(cellTitle(direction, call)) === true ? "ok" : "FAIL";
}

/** The table as text, a line each row. */
export function renderMatrix(matrix: Matrix): string {
  const header = ["call", ...matrix.directions];
  const lines = [header, ...matrix.rows.map((row) => [row.call, ...row.cells])];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  text.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return text.join("\n");
}
