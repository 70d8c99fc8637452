import { createHash, X509Certificate } from "node:crypto";
import { QuicError } from "./errors.ts";
import { limits } from "./limits.ts";
import { native } from "./native.ts";

/** A certificate, or a chain that begins with it, and its private key (PKCS#8), both as PEM. */
export interface CertificatePair {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface CertificateOptions {
  /** DNS names and IP addresses. The first is also the subject's common name; an authority has only that. */
  readonly names: readonly string[];
  /** What it may be used for: signing others, or one side of a connection. */
  readonly usage: "ca" | "server" | "client";
  /** The authority that signs it; default: it signs itself. */
  readonly issuer?: CertificatePair;
  /** Days from now on for which it is valid. */
  readonly days: number;
  /** Its last moment, instead of `days`. */
  readonly notAfter?: Date;
}

/** Who a peer has proved to be. */
export interface PeerCertificate {
  /** SHA-256 of the certificate as lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** The subject's attributes in the certificate's order, such as `CN=worker 7,O=Example`. */
  readonly subject: string;
  /** DNS names without the addresses. */
  readonly dnsNames: readonly string[];
  /** The certificate itself, as PEM. */
  readonly certPem: string;
}

/**
 * A fresh self-signed ECDSA P-256 certificate with its PKCS#8 key. Names that are IP addresses become address entries.
 * Default names: localhost, 127.0.0.1, ::1.
 *
 * @throws QuicError CERTIFICATE_INVALID, ADDON_MISSING
 */
export function generateSelfSigned(options: { readonly names?: string[] } = {}): { certPem: string; keyPem: string } {
  const names = options.names ?? ["localhost", "127.0.0.1", "::1"];
  const addon = native();
  return made(names, () => addon.generateSelfSigned(names));
}

/**
 * A fresh ECDSA P-256 certificate with its PKCS#8 key, valid from an hour ago.
 *
 * @throws QuicError CERTIFICATE_INVALID: a name, a date or the issuer cannot be used; ADDON_MISSING
 */
export function generateCertificate(options: CertificateOptions): CertificatePair {
  const { names, usage, issuer } = options;
  if (names.length === 0) throw new QuicError("CERTIFICATE_INVALID", "no names; give at least one");
  const notAfterMs = options.notAfter?.getTime() ?? Date.now() + options.days * limits.dayMs;
  if (!(notAfterMs >= 0 && notAfterMs <= limits.certificateNotAfterMsMax)) {
    const message = `a certificate cannot end ${options.notAfter ?? `in ${options.days} days`}; its end must lie before the year 10000`;
    throw new QuicError("CERTIFICATE_INVALID", message);
  }
  const addon = native();
  const issuerPems = { issuerCertPem: issuer?.certPem, issuerKeyPem: issuer?.keyPem };
  return made(names, () => addon.generateCertificate({ names: [...names], usage, notAfterMs, ...issuerPems }));
}

/**
 * SHA-256 of the first certificate of a PEM text as lower-case hexadecimal digits, as `verify: { fingerprint }` takes it.
 *
 * @throws QuicError CERTIFICATE_INVALID
 */
export function certificateFingerprint(certPem: string): string {
  try {
    return new X509Certificate(certPem).fingerprint256.replaceAll(":", "").toLowerCase();
  } catch (cause) {
    throw new QuicError("CERTIFICATE_INVALID", "the text holds no PEM certificate", { cause });
  }
}

/** What a certificate in DER says of its holder. Verifies nothing, and needs no addon. */
export function peerCertificate(der: Uint8Array): PeerCertificate {
  const hash = createHash("sha256").update(der).digest("hex");
  const certPem = pem(der);
  try {
    const { subject, subjectAltName } = new X509Certificate(der);
    return {
      fingerprint: hash,
      subject: subject?.replaceAll("\n", ",") ?? "",
      dnsNames: dnsNames(subjectAltName ?? ""),
      certPem,
    };
  } catch {
    // TLS has accepted it, so the key is proved, but what OpenSSL cannot read names nobody.
    return { fingerprint: hash, subject: "", dnsNames: [], certPem };
  }
}

/** An entry of a certificate's list of names. */
export interface AlternativeName {
  /** In OpenSSL's words: `DNS`, `IP Address`, `URI`, … */
  readonly kind: string;
  readonly name: string;
}

/** The entries of Node's list of names, in which doubtful names are JSON strings, so that no name can forge another. */
export function alternativeNames(subjectAltName: string): AlternativeName[] {
  const entries = subjectAltName.matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g);
  return [...entries].map(([, kind = "", name = ""]) => {
    return { kind, name: name.startsWith('"') ? String(JSON.parse(name)) : name };
  });
}

/** The DNS entries of Node's list of names. */
export function dnsNames(subjectAltName: string): string[] {
  return alternativeNames(subjectAltName).flatMap(({ kind, name }) => (kind === "DNS" ? [name] : []));
}

/** RFC 7468 section 3. */
function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der.buffer, der.byteOffset, der.length)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.map((line) => `${line}\n`).join("")}-----END CERTIFICATE-----\n`;
}

function made(names: readonly string[], make: () => [certPem: string, keyPem: string]): CertificatePair {
  try {
    const [certPem, keyPem] = make();
    return { certPem, keyPem };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new QuicError("CERTIFICATE_INVALID", `no certificate for ${names.join(", ")}: ${reason}`, { cause });
  }
}
