import { UnreadableValueError } from "../errors.ts";
import type { ChildReport } from "../run/operations/child-end.ts";
import { fromBase64 } from "../values/base64.ts";
import type { Wrapper } from "../values/codec-port.ts";
import { parseJson } from "../values/read.ts";

/** What turns the payloads of an instance's signals into values; a promise only where a codec makes one. With `child`, the payload is the end of
 *  that instance, and the value a ChildReport. @throws UnreadableValueError */
export function payloadReader(
  wrapper: Wrapper,
  tenantId: string,
  instanceId: string,
): (name: string, payload: Uint8Array, child?: string) => unknown {
  return (name, payload, child) => {
    if (child !== undefined) return readChildEnd(wrapper, tenantId, child, payload);
    return wrapper.unwrap(payload, { tenantId, instanceId, id: `!signal:${name}` });
  };
}

/** Output and failure lie in the payload as the child has stored them, byte by byte. */
async function readChildEnd(
  wrapper: Wrapper,
  tenantId: string,
  instanceId: string,
  payload: Uint8Array,
): Promise<ChildReport> {
  const members = parseJson(utf8.decode(payload));
  if (typeof members !== "object" || members === null || !("status" in members)) {
    throw new UnreadableValueError(`the end of child ${instanceId} has another form than this code knows`);
  }
  const end = members as { readonly status: unknown; readonly error?: unknown };
  const read = (member: "output" | "failure"): unknown =>
    wrapper.unwrap(bytesOf(members, member), { tenantId, instanceId, id: `!${member}` });
  return {
    status: String(end.status),
    output: await read("output"),
    error: typeof end.error === "string" ? end.error : undefined,
    failure: await read("failure"),
  };
}

function bytesOf(members: object, member: string): Uint8Array | undefined {
  const values = members as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(values, member)) return Buffer.from(JSON.stringify(values[member]));
  const base64 = values[`${member}Base64`];
  return typeof base64 === "string" ? fromBase64(base64) : undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
