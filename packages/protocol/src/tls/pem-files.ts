import type { CertificatePair } from "@runtara/quic";
import { limits } from "../limits.ts";
import { certificateBlocks, describeCertificate } from "./describe.ts";
import { isReadableByOthers, readPemFile } from "./files.ts";
import { checkDates, checkPair, daysLeft, invalid } from "./pair.ts";

/** Where a server's certificate lies. Symbolic links are followed at each reading. */
export interface PemFiles {
  /** The server's certificate, followed by those between it and its authority. */
  readonly certFile: string;
  /** Its private key, not encrypted. */
  readonly keyFile: string;
  /** Certificates of the authorities whose clients are let in; with it a client must show a certificate. */
  readonly clientCaFile?: string;
}

/** What PEM files hold, checked. */
export interface LoadedPemFiles {
  readonly certificate: CertificatePair;
  readonly clientCaPem?: string;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  /** One sentence each, for the log. */
  readonly warnings: readonly string[];
}

const authority = "authority's certificate";

export type PemTexts = CertificatePair & { readonly clientCaPem?: string };

/**
 * Reads a server's certificate, its key and the authorities of its clients.
 *
 * @throws ProtocolError CERTIFICATE_INVALID naming file and remedy: a file cannot be read or holds something else, key and
 *   certificate do not belong together, or the certificate is not valid now or not for servers
 */
export function pemFiles(files: PemFiles): LoadedPemFiles {
  return checkTexts(files, readTexts(files));
}

export function readTexts({ certFile, keyFile, clientCaFile }: PemFiles): PemTexts {
  return {
    certPem: readPemFile(certFile, "certificate"),
    keyPem: readPemFile(keyFile, "private key"),
    ...(clientCaFile === undefined ? {} : { clientCaPem: readPemFile(clientCaFile, authority) }),
  };
}

/** The certificates of authorities, checked. @throws ProtocolError CERTIFICATE_INVALID naming file and remedy */
export function readAuthorities(file: string): string {
  const pem = readPemFile(file, authority);
  checkAuthorities(pem, file);
  return pem;
}

export function checkTexts(files: PemFiles, { certPem, keyPem, clientCaPem }: PemTexts): LoadedPemFiles {
  const certificate = { certPem, keyPem };
  checkDates(checkPair(certificate, files, "server"), files.certFile);
  if (clientCaPem !== undefined) checkAuthorities(clientCaPem, files.clientCaFile ?? "");
  const { fingerprint, notAfter } = describeCertificate(certPem);
  const warnings = warningsOf(files, notAfter);
  return { certificate, ...(clientCaPem === undefined ? {} : { clientCaPem }), fingerprint, notAfter, warnings };
}

function checkAuthorities(pem: string, file: string): void {
  const blocks = certificateBlocks(pem);
  if (blocks.length === 0)
    throw invalid(
      `${file} holds no certificate; give an authority's, as runtara cert ca makes it, or a self-signed one`,
    );
  for (const block of blocks) describeIn(block, file);
}

function describeIn(block: string, file: string): void {
  try {
    describeCertificate(block);
  } catch (cause) {
    throw invalid(`${file} holds a certificate that cannot be read; give PEM files as they were made`, cause);
  }
}

function warningsOf({ certFile, keyFile }: PemFiles, notAfter: Date): string[] {
  const days = daysLeft(notAfter);
  return [
    ...(days < limits.pemWarnDaysLeft ? [`the certificate in ${certFile} expires in ${days} days; renew it`] : []),
    ...(isReadableByOthers(keyFile)
      ? [`others may read the private key in ${keyFile}; run: chmod 600 ${keyFile}`]
      : []),
  ];
}
