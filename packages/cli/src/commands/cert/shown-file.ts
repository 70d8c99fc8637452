import { existsSync, readFileSync } from "node:fs";
import { type CertificateSummary, certificateBlocks, describeCertificate, keyMatches } from "@runtara/protocol";

export interface ShownCertificate extends CertificateSummary {
  /** Whole days until it ends; negative once it has. */
  readonly daysLeft: number;
  readonly pem: string;
}

/** What `runtara cert show` shows: a certificate, and those that it comes with. */
export interface Shown {
  /** The file or server. */
  readonly source: string;
  readonly certificates: readonly ShownCertificate[];
  /** The private key that was found, and whether it belongs to the first certificate. */
  readonly keyFile?: string;
  readonly isKeyMatching?: boolean;
  /** How the server was reached, where it is one. */
  readonly via?: string;
  /** SHA-256 of a certificate of which nothing else is known. */
  readonly fingerprint?: string;
}

/** @throws Error naming the file and the remedy */
export function shownFile(path: string, keyOption: string | undefined): Shown {
  const text = readText(path);
  const blocks = certificateBlocks(text);
  const [first] = blocks;
  if (first === undefined) {
    throw new Error(`${path} holds no certificate; it must be PEM text with -----BEGIN CERTIFICATE-----`);
  }
  const key = { source: path, certificates: blocks.map((pem) => certificateOf(pem, path)) };
  const keyFile = keyOption ?? keyFileOf(path, text);
  if (keyFile === undefined) return key;
  return {
    ...key,
    keyFile,
    isKeyMatching: keyMatches({ certPem: first, keyPem: readText(keyFile) }, { certFile: path, keyFile }),
  };
}

export function certificateOf(pem: string, source: string): ShownCertificate {
  try {
    const summary = describeCertificate(pem);
    const daysLeft = Math.floor((summary.notAfter.getTime() - Date.now()) / 86_400_000);
    return { ...summary, daysLeft, pem };
  } catch (cause) {
    throw new Error(`a certificate of ${source} cannot be read: it is damaged`, { cause });
  }
}

/** In the file itself, or where `runtara cert` puts it. */
function keyFileOf(path: string, text: string): string | undefined {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return path;
  const beside = path.replace(/\.\w+$/, "-key$&");
  return beside !== path && existsSync(beside) ? beside : undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Error(`cannot read ${path} (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`, { cause });
  }
}
