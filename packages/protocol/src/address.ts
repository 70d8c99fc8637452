import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { ProtocolError } from "./errors.ts";
import { limits } from "./limits.ts";

export interface Address {
  /** IPv4, IPv6 without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
}

/** What the address is for; the message of an error begins with it. */
type AddressUse = "connect" | "bind";

/**
 * Takes `127.0.0.1:8001`, `[::1]:8001` and `core.internal:8001` apart. Port 0 is allowed: servers listen on a free one.
 *
 * @throws ProtocolError ADDRESS_INVALID.
 */
export function parseAddress(text: string, action: AddressUse = "connect"): Address {
  const match = /^(?:\[([^\]]+)\]|([^[\]:]+)):(\d{1,5})$/.exec(text);
  const [, bracketed, plain, digits] = match ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535)
    throw invalid(action, text, "expected host:port, as 127.0.0.1:8001 or [::1]:8001");
  if (bracketed !== undefined && !isIPv6(bracketed)) throw invalid(action, text, `${bracketed} is not an IPv6 address`);
  if (/^[\d.]+$/.test(host) && isIP(host) !== 4) throw invalid(action, text, `${host} is not an IPv4 address`);
  if (!isIP(host) && !/^[A-Za-z0-9_.-]{1,253}$/.test(host)) throw invalid(action, text, `${host} is not a host name`);
  return { host, port };
}

export function formatAddress(address: Address): string {
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/**
 * The IP address behind a host name, IPv4 preferred because that is what servers bind by default.
 *
 * @throws ProtocolError ADDRESS_INVALID if the name has none.
 */
export async function resolveHost(host: string, action: AddressUse = "connect"): Promise<string> {
  if (isIP(host)) return host;
  try {
    return (await lookup(host, { order: "ipv4first" })).address;
  } catch (cause) {
    throw noAddress(action, host, cause);
  }
}

/**
 * The IP addresses behind a host name in the order in which to try them.
 *
 * @throws ProtocolError ADDRESS_INVALID if the name has none.
 */
export async function resolveHosts(host: string): Promise<string[]> {
  if (isIP(host)) return [host];
  try {
    const found = await lookup(host, { all: true, order: "verbatim" });
    return interleaved(found.map(({ address }) => address)).slice(0, limits.addressesTriedMax);
  } catch (cause) {
    throw noAddress("connect", host, cause);
  }
}

/**
 * IPv6 and IPv4 in turn, IPv6 first (RFC 8305 section 4), so that a family that does not work costs one delay. On
 * loopback IPv4 comes first: servers bind 127.0.0.1 by default, and nothing there says quickly that a port is closed.
 */
export function interleaved(addresses: readonly string[]): string[] {
  const six = addresses.filter((ip) => isIPv6(ip));
  const four = addresses.filter((ip) => !isIPv6(ip));
  const [first, second] = addresses.every(isLoopback) ? [four, six] : [six, four];
  const ordered: string[] = [];
  for (let i = 0; i < addresses.length; i++) {
    for (const family of [first, second]) if (family[i] !== undefined) ordered.push(family[i] as string);
  }
  return ordered;
}

export function isLoopback(ip: string): boolean {
  return ip === "::1" || (isIP(ip) === 4 && ip.startsWith("127."));
}

function noAddress(action: AddressUse, host: string, cause: unknown): ProtocolError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ProtocolError("ADDRESS_INVALID", `${action} error: no address for host ${host}: ${reason}`, { cause });
}

function invalid(action: AddressUse, text: string, reason: string): ProtocolError {
  return new ProtocolError("ADDRESS_INVALID", `${action} error: invalid address "${text}": ${reason}`);
}
