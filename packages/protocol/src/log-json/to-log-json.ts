import type { DescEnum, DescField, DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import { file_runtara_environment_environment } from "../gen/runtara/environment/environment_pb.ts";
import { file_runtara_instance_instance } from "../gen/runtara/instance/instance_pb.ts";
import { file_runtara_management_management } from "../gen/runtara/management/management_pb.ts";
import { limits } from "../limits.ts";
import { Budget, cutMark } from "./budget.ts";
import { type Visibility, visibilityOf } from "./secrets.ts";

/** How much of a message a log line shows. */
export interface LogJsonOptions {
  /** Length of the result as JSON text, in UTF-16 code units. Default 4,096, at least 64. */
  readonly charactersMax?: number | undefined;
  /** Of one text, in UTF-16 code units. Default 200. */
  readonly textCharactersMax?: number | undefined;
  /** Of one list or map. Default 10. */
  readonly itemsMax?: number | undefined;
}

type Fields = Readonly<Record<string, unknown>>;
type Members = Record<string, JsonValue>;

interface Walk {
  readonly budget: Budget;
  readonly textCharactersMax: number;
  readonly itemsMax: number;
}

/**
 * A message of the three protocols as JSON for a log line. Payloads (input, output, state, …), tokens and the values of
 * environment variables are masked: of bytes only their number is shown, of an image also how it begins. Long texts and
 * lists are cut, so that the result has a bounded length. 64-bit integers are texts, enums go by name, fields at their
 * default are left out, and unknown fields are counted as `$unknown`. For reading only: it cannot be turned back.
 * Never throws, whatever it is given; what is no message of ours becomes `{ "$unreadable": true }`.
 */
export function toLogJson(message: Message, options: LogJsonOptions = {}): JsonValue {
  try {
    const { charactersMax, textCharactersMax, itemsMax } = { ...limits.logJson, ...definedOnly(options) };
    const schema = schemaOf(message);
    if (schema === undefined) return unreadable();
    const budget = new Budget(Math.max(charactersMax, limits.logJson.charactersMin));
    const walk = { budget, textCharactersMax, itemsMax };
    const members: Members = {};
    budget.takeFrame();
    if (budget.takePlace("$type")) members["$type"] = budget.fit(schema.typeName);
    writeFields(walk, schema, message as unknown as Fields, members);
    return members;
  } catch {
    // A getter or a proxy can throw anything; a log line is not worth a failed call.
    return unreadable();
  }
}

const unreadable = (): JsonValue => ({ $unreadable: true });

function definedOnly(options: LogJsonOptions): Partial<Record<keyof LogJsonOptions, number>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => Number.isFinite(value)));
}

let schemas: ReadonlyMap<string, DescMessage> | undefined;

function schemaOf(message: Message): DescMessage | undefined {
  schemas ??= new Map(
    [file_runtara_instance_instance, file_runtara_environment_environment, file_runtara_management_management]
      .flatMap((file) => file.messages)
      .map((schema) => [schema.typeName, schema]),
  );
  return schemas.get(message.$typeName);
}

function writeMessage(walk: Walk, schema: DescMessage, message: unknown): JsonValue {
  if (typeof message !== "object" || message === null) return walk.budget.fit(misfit(message));
  if (!walk.budget.takeFrame()) return cutMark;
  const members: Members = {};
  writeFields(walk, schema, message as Fields, members);
  return members;
}

function writeFields(walk: Walk, schema: DescMessage, message: Fields, members: Members): void {
  const present = presentFields(schema, message);
  let left = present.length;
  for (const [field, value] of present) {
    if (!walk.budget.takePlace(field.localName)) break;
    members[field.localName] = writeValue(walk, field, value);
    left--;
  }
  if (left > 0) members[cutMark] = left;
  const unknown = message["$unknown"];
  const hasUnknown = Array.isArray(unknown) && unknown.length > 0;
  if (hasUnknown && walk.budget.takePlace("$unknown")) members["$unknown"] = walk.budget.fit(unknown.length);
}

/** Fields that say something: those that are set, of a oneof the one that is. */
function presentFields(schema: DescMessage, message: Fields): [field: DescField, value: unknown][] {
  const present: [DescField, unknown][] = [];
  for (const field of schema.fields) {
    const value = field.oneof ? valueInOneof(message[field.oneof.localName], field) : message[field.localName];
    const hasPresence = field.oneof !== undefined || field.proto.proto3Optional;
    const isDefault = !hasPresence && field.fieldKind !== "enum" && isEmpty(field, value);
    if (value !== undefined && !isDefault) present.push([field, value]);
  }
  return present;
}

function valueInOneof(oneof: unknown, field: DescField): unknown {
  const set = oneof as { readonly case?: unknown; readonly value?: unknown } | null | undefined;
  return set?.case === field.localName ? set.value : undefined;
}

function isEmpty(field: DescField, value: unknown): boolean {
  if (value === "" || value === 0 || value === 0n || value === false) return true;
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
  return field.fieldKind === "map" && typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function writeValue(walk: Walk, field: DescField, value: unknown): JsonValue {
  const visibility = visibilityOf(field);
  switch (field.fieldKind) {
    case "message":
      return writeMessage(walk, field.message, value);
    case "list":
      return writeList(walk, field, value, visibility);
    case "map":
      return writeMap(walk, value, visibility);
    default:
      return writeScalar(walk, field.enum, value, visibility);
  }
}

function writeList(walk: Walk, field: DescField, list: unknown, visibility: Visibility): JsonValue {
  if (!Array.isArray(list)) return walk.budget.fit(misfit(list));
  if (!walk.budget.takeFrame()) return cutMark;
  const items: JsonValue[] = [];
  for (const item of list.slice(0, walk.itemsMax)) {
    if (!walk.budget.takePlace("")) break;
    const written = field.message
      ? writeMessage(walk, field.message, item)
      : writeScalar(walk, field.enum, item, visibility);
    items.push(written);
  }
  const left = list.length - items.length;
  if (left > 0) items.push(`${cutMark}${left}`);
  return items;
}

function writeMap(walk: Walk, map: unknown, visibility: Visibility): JsonValue {
  if (typeof map !== "object" || map === null) return walk.budget.fit(misfit(map));
  if (!walk.budget.takeFrame()) return cutMark;
  const keys = Object.keys(map);
  // Without a prototype, for a key may be "__proto__".
  const members: Members = Object.create(null) as Members;
  let left = keys.length;
  for (const key of keys.slice(0, walk.itemsMax)) {
    const shown = cutText(key, walk.textCharactersMax);
    if (!walk.budget.takePlace(shown)) break;
    members[shown] = writeScalar(walk, undefined, (map as Fields)[key], visibility);
    left--;
  }
  if (left > 0) members[cutMark] = left;
  return members;
}

function writeScalar(walk: Walk, enumeration: DescEnum | undefined, value: unknown, visibility: Visibility): JsonValue {
  return walk.budget.fit(scalar(walk, enumeration, value, visibility));
}

function scalar(
  walk: Walk,
  enumeration: DescEnum | undefined,
  value: unknown,
  visibility: Visibility,
): string | number | boolean {
  if (value instanceof Uint8Array) return bytesText(value, visibility);
  if (visibility !== "shown") return "[masked]";
  switch (typeof value) {
    case "string":
      return cutText(value, walk.textCharactersMax);
    case "number":
      if (!Number.isFinite(value)) return String(value);
      return enumeration?.value[value]?.name ?? value;
    case "bigint":
      return cutText(String(value), walk.textCharactersMax);
    case "boolean":
      return value;
    default:
      return misfit(value);
  }
}

function bytesText(bytes: Uint8Array, visibility: Visibility): string {
  if (visibility !== "prefix") return `[${bytes.length} bytes]`;
  const start = Buffer.from(bytes.subarray(0, limits.logJson.prefixBytes)).toString("hex");
  return `[${bytes.length} bytes ${start}${bytes.length > limits.logJson.prefixBytes ? cutMark : ""}]`;
}

function cutText(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, Math.max(0, charactersMax))}${cutMark}${text.length}`;
}

/** For a value that its field cannot have; the value itself may be anything, secrets included. */
function misfit(value: unknown): string {
  return `[${value === null ? "null" : typeof value}]`;
}
