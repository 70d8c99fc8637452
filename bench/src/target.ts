/** What we promise ourselves on a machine of two cores, with the load generator beside the server. */
export interface Target {
  readonly name: string;
  readonly wanted: string;
  readonly got: string;
  readonly met: boolean;
}

export function target(name: string, wanted: string, got: number, met: boolean): Target {
  return { name, wanted, got: got >= 1000 ? Math.round(got).toLocaleString("en-US") : got.toFixed(2), met };
}
