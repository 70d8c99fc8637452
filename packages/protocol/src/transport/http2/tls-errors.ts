import type { TLSSocket } from "node:tls";
import { QuicError, type QuicErrorCode } from "@runtara/quic";

/** What OpenSSL and Node call what is wrong with a certificate or a handshake. */
const codes: ReadonlyMap<string, QuicErrorCode> = new Map([
  ["ERR_TLS_CERT_ALTNAME_INVALID", "TLS_NAME_MISMATCH"],
  ["ERR_TLS_CERT_ALTNAME_FORMAT", "TLS_NAME_MISMATCH"],
  ["CERT_HAS_EXPIRED", "TLS_CERTIFICATE_EXPIRED"],
  ["CERT_NOT_YET_VALID", "TLS_CERTIFICATE_EXPIRED"],
  ["ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED", "TLS_CERTIFICATE_EXPIRED"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "TLS_CERTIFICATE_EXPIRED"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "TLS_CERTIFICATE_UNKNOWN"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "TLS_CERTIFICATE_UNKNOWN"],
  ["UNABLE_TO_GET_ISSUER_CERT", "TLS_CERTIFICATE_UNKNOWN"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "TLS_CERTIFICATE_UNKNOWN"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "TLS_CERTIFICATE_UNKNOWN"],
  ["CERT_SIGNATURE_FAILURE", "TLS_CERTIFICATE_UNKNOWN"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "TLS_CERTIFICATE_UNKNOWN"],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLS_CLIENT_CERTIFICATE_REQUIRED"],
]);

const remedies: Partial<Record<QuicErrorCode, string>> = {
  TLS_NAME_MISMATCH: "set serverName to one of its names or renew it with this name",
  TLS_CERTIFICATE_EXPIRED: "renew the certificate, or set the clock",
  TLS_CERTIFICATE_UNKNOWN: "verify with its authority's certificate, or pin its fingerprint once you have compared it",
};

/** A failure before the connection stands. Whatever is not about TLS is CONNECT_FAILED. */
export function connectError(cause: Error): QuicError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  const known = codes.get(code) ?? (/^ERR_(?:SSL|TLS)_|^CERT_|_CERT|^INVALID_/.test(code) ? "TLS_FAILED" : undefined);
  if (known === undefined) return new QuicError("CONNECT_FAILED", cause.message, { cause });
  const text = [reasonOf(known, cause), remedies[known]].filter((part) => part !== undefined).join("; ");
  return new QuicError(known, text, { cause });
}

function reasonOf(known: QuicErrorCode, cause: Error): string {
  if (known !== "TLS_NAME_MISMATCH" || !("host" in cause) || !("cert" in cause)) return cause.message;
  const { subjectaltname = "" } = cause.cert as { readonly subjectaltname?: string };
  const names = subjectaltname === "" ? "no name" : subjectaltname.replaceAll(/(?:DNS|IP Address):/g, "");
  return `the server's certificate is for ${names}, not for ${JSON.stringify(cause.host)}`;
}

/** Why a client is not let in by a server that asks for a certificate; undefined if it is. */
export function refusalOf(socket: TLSSocket): QuicError | undefined {
  if (socket.getPeerX509Certificate() === undefined) {
    const message = "the server lets in only clients with a certificate; connect with one";
    return new QuicError("TLS_CLIENT_CERTIFICATE_REQUIRED", message);
  }
  if (socket.authorized) return undefined;
  const reason = String(socket.authorizationError);
  const code = codes.get(reason) ?? "TLS_FAILED";
  return new QuicError(code, `the server refuses the client's certificate: ${reason}`);
}
