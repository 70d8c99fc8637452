import { readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { CertificatePair } from "@runtara/quic";
import { ProtocolError } from "../errors.ts";
import { limits } from "../limits.ts";
import { generateCertificate } from "./certificates.ts";
import { describeCertificate } from "./describe.ts";
import { createSecretFile, isReadableByOthers, makeSecretDirectory, readPemFile } from "./files.ts";
import { checkPair, invalid } from "./pair.ts";
import { resetKeyOf } from "./reset-key.ts";

/** Who a server without PEM files is: the same at every start. */
export interface ServerIdentity {
  readonly certificate: CertificatePair;
  /** SHA-256 of the certificate, lower-case hexadecimal: what clients pin as `serverFingerprint`. */
  readonly fingerprint: string;
  /** 32 bytes for `resetKey`; see {@link resetKeyOf}. */
  readonly resetKey: Uint8Array;
  readonly notAfter: Date;
  /** Certificate and private key, in this order. */
  readonly file: string;
  /** It was made by this call, for the first time or because the earlier one ends soon. */
  readonly isNew: boolean;
  /** One sentence each, for the log. */
  readonly warnings: readonly string[];
}

export interface ServerIdentityOptions {
  /** Where the server listens, `host:port`; a new certificate gets the host as one of its names. */
  readonly bindAddr?: string;
  /** What the server is, such as "core": servers that share a folder have different reset keys. Default "". */
  readonly purpose?: string;
}

/**
 * The identity that is kept in `dir`, made there if there is none: a self-signed ECDSA certificate for localhost,
 * 127.0.0.1, ::1, this machine's host name and the bind host, valid for ten years. Within its last 30 days it is renewed,
 * with a new key, because a copy of the old one may be about. It lies in `dir/tls/server-N.pem` (mode 0600, the folder
 * 0700), the highest N counts; processes that start at once agree on one. Nothing that exists is ever changed.
 *
 * @throws ProtocolError CERTIFICATE_INVALID naming file and remedy: it cannot be read, is damaged, or cannot be written;
 *   ADDON_MISSING if one would have to be made
 */
export function serverIdentity(dir: string, options: ServerIdentityOptions = {}): ServerIdentity {
  const found = newest(dir);
  if (found !== undefined && !endsSoon(found.path)) return identityOf(found.path, options, false);
  const number = (found?.number ?? 0) + 1;
  const path = join(folderOf(dir), `server-${number}.pem`);
  const isNew = keep(dir, path, () => made(options));
  return identityOf(path, options, isNew);
}

/** The identity that is kept in `dir`; undefined if there is none. Writes nothing. @throws ProtocolError CERTIFICATE_INVALID */
export function readServerIdentity(dir: string, options: ServerIdentityOptions = {}): ServerIdentity | undefined {
  const found = newest(dir);
  return found === undefined ? undefined : identityOf(found.path, options, false);
}

function folderOf(dir: string): string {
  return join(dir, "tls");
}

function newest(dir: string): { number: number; path: string } | undefined {
  const folder = folderOf(dir);
  const numbers = namesIn(folder).flatMap((name) => /^server-([1-9]\d{0,8})\.pem$/.exec(name)?.[1] ?? []);
  if (numbers.length === 0) return undefined;
  const number = Math.max(...numbers.map(Number));
  return { number, path: join(folder, `server-${number}.pem`) };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unusable(folder, error);
  }
}

function endsSoon(path: string): boolean {
  const { notAfter } = describeCertificate(load(path).certPem);
  return notAfter.getTime() - Date.now() < limits.identityRenewDaysLeft * limits.dayMs;
}

function identityOf(path: string, { purpose = "" }: ServerIdentityOptions, isNew: boolean): ServerIdentity {
  const certificate = load(path);
  const { fingerprint, notAfter } = describeCertificate(certificate.certPem);
  const warnings = isReadableByOthers(path)
    ? [`others may read the private key in ${path}; run: chmod 600 ${path}`]
    : [];
  const resetKey = resetKeyOf(certificate.keyPem, purpose);
  return { certificate, fingerprint, resetKey, notAfter, file: path, isNew, warnings };
}

function load(path: string): CertificatePair {
  const text = readPemFile(path, "server's identity");
  try {
    const certificate = { certPem: block(text, "CERTIFICATE"), keyPem: block(text, "PRIVATE KEY") };
    checkPair(certificate, { certFile: path, keyFile: path }, "server");
    return certificate;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const remedy = `bring it back from a backup, or delete it to get a new identity, which clients that pin or trust this one must then be given`;
    throw invalid(`the server's identity ${path} is damaged: ${reason}; ${remedy}`, cause);
  }
}

function block(text: string, label: string): string {
  const found = new RegExp(`-----BEGIN ${label}-----[^-]*-----END ${label}-----\n?`).exec(text)?.[0];
  if (found === undefined) throw invalid(`it has no whole ${label} block`);
  return found;
}

/** @returns whether it was written; false if another process was faster */
function keep(dir: string, path: string, make: () => CertificatePair): boolean {
  const folder = folderOf(dir);
  try {
    makeSecretDirectory(folder);
    const { certPem, keyPem } = make();
    return createSecretFile(path, `${certPem.trim()}\n${keyPem.trim()}\n`);
  } catch (error) {
    throw error instanceof ProtocolError ? error : unusable(folder, error);
  }
}

function made({ bindAddr }: ServerIdentityOptions): CertificatePair {
  return generateCertificate({ names: identityNames(bindAddr), usage: "server", days: limits.identityDays });
}

/** What clients may call a server: what is always right on its machine, its host name, and where it listens. */
export function identityNames(bindAddr?: string, machine: string = hostname()): string[] {
  const bindHost = bindAddr?.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  const names = ["localhost", "127.0.0.1", "::1", machine, bindHost ?? ""];
  // Every address is no address, and a machine may be called what no certificate can hold.
  const isUsable = (name: string): boolean => /^[\w.:-]{1,253}$/.test(name) && name !== "0.0.0.0" && name !== "::";
  return [...new Set(names.filter(isUsable))];
}

function unusable(folder: string, cause: unknown): ProtocolError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedy =
    "let this user write there, choose another folder (DATA_DIR), or give a certificate of your own (RUNTARA_TLS_CERT_FILE, RUNTARA_TLS_KEY_FILE)";
  return invalid(`the server's identity cannot be kept in ${folder}: ${reason}; ${remedy}`, cause);
}
