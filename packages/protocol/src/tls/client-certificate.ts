import type { CertificatePair } from "@runtara/quic";
import { readPemFile } from "./files.ts";
import { checkPair, type PairNames } from "./pair.ts";

/** Where a client's certificate, with those between it and its authority, and its private key lie. */
export type ClientCertificateFiles = PairNames;

/**
 * What a client shows to servers that ask for a certificate. Its dates are for the server to judge, by the server's clock.
 *
 * @throws ProtocolError CERTIFICATE_INVALID naming file and remedy: a file cannot be read or holds something else, key and
 *   certificate do not belong together, or the certificate is not for clients
 */
export function clientCertificate(files: ClientCertificateFiles): CertificatePair {
  const certPem = readPemFile(files.certFile, "certificate");
  const pair = { certPem, keyPem: readPemFile(files.keyFile, "private key") };
  checkPair(pair, files, "client");
  return pair;
}
