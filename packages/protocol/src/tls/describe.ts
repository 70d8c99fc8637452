import { X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";
import { alternativeNames } from "@runtara/quic";
import { ProtocolError } from "../errors.ts";

/** What a certificate says of itself. Nothing here is verified. */
export interface CertificateSummary {
  /** The subject's attributes, such as `CN=worker 7,O=Example`. */
  readonly subject: string;
  /** DNS names and IP addresses that it is valid for. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly isSelfSigned: boolean;
  /** What it may be used for; "any" if it does not say. */
  readonly usage: "ca" | "server" | "client" | "any";
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the certificate as lower-case hexadecimal digits, as `serverFingerprint` takes it. */
  readonly fingerprint: string;
}

const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";

/** @throws ProtocolError CERTIFICATE_INVALID: the text holds no PEM certificate. With several, the first is described. */
export function describeCertificate(certPem: string): CertificateSummary {
  return summaryOf(parsed(certPem, "the text"));
}

/** The first certificate of a PEM text. `where` names it in the error. @throws ProtocolError CERTIFICATE_INVALID */
export function parsed(certPem: string, where: string): X509Certificate {
  try {
    return new X509Certificate(certPem);
  } catch (cause) {
    const message = `${where} holds no certificate; it must be PEM text that begins with -----BEGIN CERTIFICATE-----`;
    throw new ProtocolError("CERTIFICATE_INVALID", message, { cause });
  }
}

/** The certificates of a PEM text, each as a text of its own; none if it has none. */
export function certificateBlocks(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g) ?? [];
}

export function summaryOf(certificate: X509Certificate): CertificateSummary {
  return {
    subject: attributes(certificate.subject),
    names: namesOf(certificate.subjectAltName ?? ""),
    issuer: attributes(certificate.issuer),
    isSelfSigned: certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey),
    usage: usageOf(certificate),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}

function usageOf(certificate: X509Certificate): CertificateSummary["usage"] {
  if (certificate.ca) return "ca";
  const usages: readonly string[] | undefined = certificate.keyUsage;
  const isServer = usages?.includes(serverAuth) ?? false;
  const isClient = usages?.includes(clientAuth) ?? false;
  if (isServer === isClient) return "any";
  return isServer ? "server" : "client";
}

/** Node has one attribute a line, and undefined where there is none. */
function attributes(lines: string | undefined): string {
  return lines?.replaceAll("\n", ",") ?? "";
}

/** DNS names and addresses of Node's list of names. */
export function namesOf(subjectAltName: string): string[] {
  return alternativeNames(subjectAltName).flatMap(({ kind, name }) => {
    if (kind === "DNS") return [name];
    // OpenSSL writes all eight groups of IPv6 addresses; a URL has the short form.
    if (kind === "IP Address") return [isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name];
    return [];
  });
}
