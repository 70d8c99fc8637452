import { X509Certificate } from "node:crypto";
import { certificateFingerprint, type PeerCertificate } from "@runtara/quic";

/** Who the holder of a certificate is, in the words of @runtara/quic. */
export function peerCertificateOf(certificate: X509Certificate): PeerCertificate {
  return {
    fingerprint: certificateFingerprint(certificate.toString()),
    subject: certificate.subject?.replaceAll("\n", ",") ?? "",
    dnsNames: dnsNamesOf(certificate.subjectAltName ?? ""),
  };
}

/** Of the first certificate of a PEM text. @throws if it holds none */
export function peerCertificateOfPem(certPem: string): PeerCertificate {
  return peerCertificateOf(new X509Certificate(certPem));
}

/** Node quotes a name with odd characters as a JSON string, so that it cannot forge a further entry. */
function dnsNamesOf(subjectAltName: string): string[] {
  const names: string[] = [];
  for (const [, kind, text = ""] of subjectAltName.matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)) {
    if (kind === "DNS") names.push(text.startsWith('"') ? String(JSON.parse(text)) : text);
  }
  return names;
}
