import { type CertificatePair, parseAddress, type ServerTls, serverTls } from "@runtara/protocol";
import type { StartCoreOptions } from "./start-options.ts";

/** What both ports show of the server. */
export interface ListenTls {
  readonly certificate?: CertificatePair;
  readonly resetKey?: Uint8Array;
  readonly clientCaPem?: string;
}

/** Before anything is bound or made, so that a start which fails on its address has left no certificate behind. */
export function tlsOf({ tls, bindAddr, adminAddr, httpAddr }: StartCoreOptions): ServerTls | undefined {
  for (const address of [bindAddr, adminAddr, httpAddr]) if (address !== undefined) parseAddress(address, "bind");
  return tls && serverTls({ ...tls, bindAddr, purpose: "core" });
}

export function shownBy(tls: ServerTls | undefined, { certificate }: StartCoreOptions): ListenTls {
  if (tls === undefined) return certificate === undefined ? {} : { certificate };
  const { clientCaPem, resetKey } = tls;
  return { certificate: tls.certificate, resetKey, ...(clientCaPem === undefined ? {} : { clientCaPem }) };
}
