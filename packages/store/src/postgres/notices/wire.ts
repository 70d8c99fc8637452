import type { Notice } from "../../store.ts";

/** PostgreSQL takes less than 8,000 bytes in one notification. */
const payloadBytesMax = 7_900;
/** More than this in one go, and the others are told to look after everything. */
const payloadsMax = 16;

const anything: Notice = { topic: "anything" };

/** Notices as payloads for other processes, each with the name of the store that sends it. */
export function encodeNotices(from: string, notices: readonly Notice[]): readonly string[] {
  const head = `{"from":${JSON.stringify(from)},"notices":[`;
  const payloads: string[] = [];
  let parts: string[] = [];
  let bytes = head.length + 2;
  const close = () => {
    if (parts.length > 0) payloads.push(`${head}${parts.join(",")}]}`);
    parts = [];
    bytes = head.length + 2;
  };
  for (const notice of notices) {
    const text = JSON.stringify(notice);
    const size = Buffer.byteLength(text) + 1;
    if (bytes + size > payloadBytesMax) close();
    if (head.length + 2 + size > payloadBytesMax || payloads.length === payloadsMax) {
      return [`${head}${JSON.stringify(anything)}]}`];
    }
    parts.push(text);
    bytes += size;
  }
  close();
  return payloads;
}

/** The notices of a payload; none if `self` sent it. One that can't be read may mean anything. */
export function decodeNotices(self: string, payload: string): readonly Notice[] {
  const message = parsed(payload);
  if (message?.from === self) return [];
  const notices = message?.notices;
  if (!Array.isArray(notices)) return [anything];
  return notices.every(isNotice) ? notices : [anything];
}

function parsed(payload: string): { readonly from?: unknown; readonly notices?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isNotice(value: unknown): value is Notice {
  if (typeof value !== "object" || value === null || !("topic" in value)) return false;
  const has = (name: string, type: "string" | "number" | "boolean") =>
    typeof (value as Readonly<Record<string, unknown>>)[name] === type;
  switch (value.topic) {
    case "work":
      return has("tenantId", "string") && has("workflow", "string") && has("readyAtMs", "number");
    case "signal":
      return has("instanceId", "string");
    case "instance":
      return has("instanceId", "string") && has("ended", "boolean");
    case "due":
    case "schedule":
      return has("atMs", "number");
    default:
      return value.topic === "anything";
  }
}
