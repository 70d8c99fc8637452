import type { DescField } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";

/**
 * What may be said of a field's value in a log:
 * - `shown`: the value, cut.
 * - `masked`: that there is one; of bytes also how many, of a map its keys.
 * - `prefix`: of bytes their length and the first few.
 */
export type Visibility = "shown" | "masked" | "prefix";

/** Texts that authenticate somebody, or are a part of a payload. Maps: their values. */
const maskedFields: ReadonlySet<string> = new Set([
  "runtara.instance.RegisterInstanceRequest.token",
  "runtara.instance.ClaimWorkRequest.token",
  "runtara.instance.RenewLeaseRequest.token",
  "runtara.environment.StartInstanceRequest.env",
  "runtara.environment.ListEventsRequest.payload_contains",
]);

/** Bytes that are code and no data: their beginning says what kind of image it is. All other bytes are masked. */
const prefixFields: ReadonlySet<string> = new Set(["runtara.environment.RegisterImageRequest.binary"]);

export function visibilityOf(field: DescField): Visibility {
  const name = `${field.parent.typeName}.${field.name}`;
  if (maskedFields.has(name)) return "masked";
  const isBytes = field.scalar === ScalarType.BYTES;
  if (!isBytes) return "shown";
  return prefixFields.has(name) ? "prefix" : "masked";
}
