import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CertificatePair } from "@runtara/protocol";

export interface PairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Writes a certificate and its key, which only its owner can read. Each file is whole or not there, so a server that
 * watches them never sees a part. @throws Error: one exists and `force` is not given; nothing is written then
 */
export function writePair(
  { certPem, keyPem }: CertificatePair,
  { certFile, keyFile }: PairFiles,
  force: boolean,
): void {
  const existing = [certFile, keyFile].find((path) => existsSync(path));
  if (existing !== undefined && !force) {
    throw new Error(`${existing} exists; give another --out, or --force to replace it`);
  }
  mkdirSync(dirname(certFile), { recursive: true, mode: 0o700 });
  writeWhole(keyFile, keyPem, 0o600);
  writeWhole(certFile, certPem, 0o644);
}

function writeWhole(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode, flag: "wx" });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}
