import * as engines from "../../engines/details.ts";
import type { Instance, InstanceDetails } from "../../model.ts";
import type { Row } from "../connections/port.ts";
import { rowColumnCount, rowColumns, rowOf } from "./columns.ts";

/** What `detailsOf` reads, over the table `instances AS i`. */
export const detailColumns: string = `${rowColumns}, i.tags`;
/** What `instanceOf` reads. */
export const instanceColumns: string = `${detailColumns}, i.output, i.error, i.failure`;
/** That, and what the instance was started with, which may be large. */
export const startedColumns: string = `${instanceColumns}, i.input`;

/** How many columns `detailsOf` takes: others may follow. */
export const detailColumnCount: number = rowColumnCount + 1;

export function detailsOf(row: Row): InstanceDetails {
  return engines.detailsOf(rowOf(row), tagsOf(row));
}

/** With what it was started with if the row has `startedColumns`. */
export function instanceOf(row: Row): Instance {
  const [output, error, failure, input] = row.slice(detailColumnCount) as [
    Buffer | null,
    string | null,
    Buffer | null,
    Buffer | null | undefined,
  ];
  const own = rowOf(row);
  const start = input === undefined ? undefined : { input, seed: own.seed };
  return engines.instanceOf(own, tagsOf(row), { output, error, failure }, start);
}

function tagsOf(row: Row): InstanceDetails["tags"] {
  return (row[rowColumnCount] as InstanceDetails["tags"] | null) ?? {};
}
