import { readdirSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { delimiter, join } from "node:path";
import {
  type ConnectionOptions,
  checkServerIdentity,
  getCACertificates,
  rootCertificates,
  type TLSSocket,
} from "node:tls";
import { QuicError } from "@runtara/quic";
import type { DialOptions } from "../port.ts";
import { checkServerName } from "../server-name.ts";
import { checkCertificate, checkPem, secureContext } from "./tls-certificate.ts";

/** How Node is told whom to trust, and under which name. @throws QuicError CERTIFICATE_INVALID, SERVER_NAME_INVALID */
export function trustOptions(options: DialOptions): ConnectionOptions {
  const { serverName, certificate } = options;
  checkServerName(serverName);
  if (certificate !== undefined) checkCertificate(certificate, undefined);
  const own = certificate && { cert: certificate.certPem, key: certificate.keyPem };
  const ca = authorities(options.verify);
  return {
    secureContext: secureContext({ ...own, minVersion: "TLSv1.3", ...(ca === undefined ? {} : { ca }) }),
    // An address is not sent to the server (RFC 6066 section 3).
    ...(isIP(serverName) ? {} : { servername: serverName }),
    rejectUnauthorized: ca !== undefined,
    checkServerIdentity: (_, shown) => checkServerIdentity(serverName, shown),
  };
}

/** The check that Node does not make. @throws QuicError TLS_CERTIFICATE_UNKNOWN */
export function checkPin(options: DialOptions, socket: TLSSocket): void {
  if (typeof options.verify === "string" || !("fingerprint" in options.verify)) return;
  const pinned = digits(options.verify.fingerprint);
  const shown = digits(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
  if (shown === pinned) return;
  const message = `the server's certificate has the fingerprint ${shown}, not the pinned ${pinned}`;
  throw new QuicError("TLS_CERTIFICATE_UNKNOWN", message);
}

/** Undefined where Node is to let everybody pass. */
function authorities(verify: DialOptions["verify"]): string[] | undefined {
  if (verify === "skip") return undefined;
  if (verify === "roots") return [...rootCertificates];
  if (verify === "system") return systemAuthorities();
  if ("caPem" in verify) {
    checkPem("caPem", verify.caPem);
    return [verify.caPem];
  }
  if (/^[0-9a-f]{64}$/.test(digits(verify.fingerprint))) return undefined;
  const message = `fingerprint ${JSON.stringify(verify.fingerprint)} is not a SHA-256; give 64 hexadecimal digits`;
  throw new QuicError("CERTIFICATE_INVALID", message);
}

/** The files that SSL_CERT_FILE and SSL_CERT_DIR name, read each time, or else the platform's. */
function systemAuthorities(): string[] {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folder } = process.env;
  if (!file && !folder) return getCACertificates("system");
  const folders = (folder ?? "").split(delimiter).filter((one) => one !== "");
  try {
    return [...(file ? [readFileSync(file, "utf8")] : []), ...folders.flatMap(certificatesIn)];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new QuicError("CERTIFICATE_INVALID", `the roots of SSL_CERT_FILE or SSL_CERT_DIR: ${reason}`, { cause });
  }
}

/** Whatever else lies in the folder is passed over. */
function certificatesIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const texts = entries.map((entry) => readFileSync(join(folder, entry.name), "utf8"));
  return texts.filter((text) => text.includes("-----BEGIN CERTIFICATE-----"));
}

function digits(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}
