// An instance's history as a file: JSON lines, states and payloads as they are stored. The format is a promise; see HistoryFileHead.

import type { HistoryFileHead, HistoryFileLine } from "../api/history.ts";
import { ConfigError } from "../errors.ts";
import type { HistoryItem } from "../ports/operator.ts";
import { fromBase64, toBase64 } from "../values/base64.ts";
import { type HistoryParts, hexOf, historyItems, readBeginning } from "./history.ts";

const format = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The lines of the file, each with its line feed; read page by page, long states one by one. @throws NotFoundError, UnsupportedError */
export async function* writeHistoryFile(
  parts: Pick<HistoryParts, "operator" | "calls" | "tenantId">,
  instanceId: string,
): AsyncGenerator<string> {
  const what = `export of instance ${instanceId}`;
  const { details, start } = await readBeginning(parts, instanceId, what);
  const { workflow, version, status, run } = details;
  const head: HistoryFileHead = {
    $rt: "history",
    format,
    instanceId,
    tenantId: start.tenantId,
    workflow: workflow ?? "",
    ...(version === null ? {} : { version }),
    status,
    run,
    startedAtMs: start.firstStartedAtMs,
    seed: hexOf(start.seed),
    ...bytesAs("input", start.input ?? undefined),
  };
  yield `${JSON.stringify(head)}\n`;
  for await (const item of historyItems(parts, instanceId, what)) yield `${JSON.stringify(lineOf(item))}\n`;
}

/** A history file, read: the head, and the rest as the store lists it. */
export interface HistoryFile {
  readonly head: HistoryFileHead;
  readonly input: Uint8Array | undefined;
  readonly items: readonly HistoryItem[];
}

/** @throws ConfigError naming the line: no history file, of a later format, or broken */
export function readHistoryFile(text: string): HistoryFile {
  const [first = "", ...rest] = text.split("\n");
  const head = parseLine(first, 1);
  if (head.$rt !== "history")
    throw new ConfigError('this is no history file: its first line is not {"$rt":"history",…}');
  if (head.format !== format) {
    throw new ConfigError(`the history file is of format ${String(head.format)}; this version reads format ${format}`);
  }
  const items = rest.flatMap((line, index) =>
    line === "" ? [] : (itemOf(parseLine(line, index + 2), index + 2) ?? []),
  );
  return { head: headOf(head), input: bytesIn(head, "input", 1), items };
}

type Line = Readonly<Record<string, unknown>>;

function parseLine(line: string, number: number): Line {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === "object" && parsed !== null) return parsed as Line;
  } catch {
    // Told below.
  }
  throw new ConfigError(`line ${number} of the history file is no JSON object`);
}

function headOf(line: Line): HistoryFileHead {
  for (const member of ["instanceId", "tenantId", "workflow", "status"]) textIn(line, member, 1);
  for (const member of ["run", "startedAtMs"]) numberIn(line, member, 1);
  optionalText(line, "version", 1);
  if (!/^[0-9a-f]{32}$/.test(textIn(line, "seed", 1))) throw brokenMember(1, "seed");
  return line as unknown as HistoryFileHead;
}

function lineOf(item: HistoryItem): HistoryFileLine {
  const { atMs } = item;
  switch (item.kind) {
    case "checkpoint":
      return { kind: "checkpoint", atMs, id: item.checkpointId, ...bytesAs("state", item.state) };
    case "retry": {
      const { checkpointId: id, attempt, nextAtMs, error } = item;
      const next = nextAtMs === null ? {} : { nextAtMs };
      return { kind: "retry", atMs, id, attempt, ...next, ...(error === null ? {} : { error }) };
    }
    case "event": {
      const { type, subtype, payload } = item;
      return {
        kind: "event",
        atMs,
        type,
        ...(subtype === null ? {} : { subtype }),
        ...bytesAs("payload", payload ?? undefined),
      };
    }
    case "signal": {
      const { type, name, payload, delivered } = item;
      const words = { ...(type === null ? {} : { type }), ...(name === null ? {} : { name }) };
      return { kind: "signal", atMs, ...words, ...bytesAs("payload", payload ?? undefined), delivered };
    }
  }
}

/** Undefined for kinds of later versions. */
function itemOf(line: Line, number: number): HistoryItem | undefined {
  switch (line.kind) {
    case "checkpoint": {
      const state = bytesIn(line, "state", number) ?? new Uint8Array(0);
      return {
        kind: "checkpoint",
        atMs: numberIn(line, "atMs", number),
        checkpointId: textIn(line, "id", number),
        state,
        stateBytes: state.byteLength,
      };
    }
    case "retry":
      return {
        kind: "retry",
        atMs: numberIn(line, "atMs", number),
        checkpointId: textIn(line, "id", number),
        attempt: numberIn(line, "attempt", number),
        nextAtMs: line.nextAtMs === undefined ? null : numberIn(line, "nextAtMs", number),
        error: optionalText(line, "error", number),
      };
    case "event":
      return {
        kind: "event",
        atMs: numberIn(line, "atMs", number),
        type: textIn(line, "type", number),
        subtype: optionalText(line, "subtype", number),
        checkpointId: null,
        payload: bytesIn(line, "payload", number) ?? null,
      };
    case "signal":
      return {
        kind: "signal",
        atMs: numberIn(line, "atMs", number),
        type: optionalText(line, "type", number),
        name: optionalText(line, "name", number),
        payload: bytesIn(line, "payload", number) ?? null,
        delivered: line.delivered === true,
      };
    default:
      return undefined;
  }
}

function numberIn(line: Line, member: string, number: number): number {
  const value = line[member];
  if (typeof value === "number") return value;
  throw brokenMember(number, member);
}

function textIn(line: Line, member: string, number: number): string {
  const value = line[member];
  if (typeof value === "string") return value;
  throw brokenMember(number, member);
}

function optionalText(line: Line, member: string, number: number): string | null {
  return line[member] === undefined ? null : textIn(line, member, number);
}

function bytesAs<const M extends string>(
  member: M,
  bytes: Uint8Array | undefined,
): { readonly [K in M | `${M}Base64`]?: string } {
  let members: Readonly<Record<string, string>> = {};
  if (bytes !== undefined) {
    try {
      members = { [member]: decoder.decode(bytes) };
    } catch {
      members = { [`${member}Base64`]: toBase64(bytes) };
    }
  }
  return members as { readonly [K in M | `${M}Base64`]?: string };
}

function bytesIn(line: Line, member: string, number: number): Uint8Array | undefined {
  const text = line[member];
  if (typeof text === "string") return encoder.encode(text);
  const base64 = line[`${member}Base64`];
  if (base64 === undefined) return undefined;
  const bytes = typeof base64 === "string" ? fromBase64(base64) : undefined;
  if (!bytes) throw brokenMember(number, `${member}Base64`);
  return bytes;
}

function brokenMember(number: number, member: string): ConfigError {
  return new ConfigError(`line ${number} of the history file: ${member} is missing or is not what it should be`);
}
