import { isIP } from "node:net";
import { QuicError } from "@runtara/quic";

/** @throws QuicError SERVER_NAME_INVALID */
export function checkServerName(name: string): void {
  const isName = name.length <= 253 && name.split(".").every((label) => /^[\w](?:[\w-]{0,61}\w)?$/.test(label));
  if (isIP(name) || isName) return;
  throw new QuicError("SERVER_NAME_INVALID", `${JSON.stringify(name)} is neither a DNS name nor an address`);
}
