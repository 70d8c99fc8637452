import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import type { CertificatePair } from "@runtara/quic";
import { ProtocolError } from "../errors.ts";
import { limits } from "../limits.ts";
import { parsed, summaryOf } from "./describe.ts";

/** What the two texts of a pair are called in messages: their files. */
export interface PairNames {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * A certificate whose key fits and whose usage is right.
 *
 * @throws ProtocolError CERTIFICATE_INVALID naming the file and the remedy
 */
export function checkPair(pair: CertificatePair, names: PairNames, usage: "server" | "client"): X509Certificate {
  const certificate = checkKey(pair, names);
  const found = summaryOf(certificate).usage;
  if (found !== usage && found !== "any") {
    const kind = found === "ca" ? "an authority's" : `a ${found}'s`;
    throw invalid(`the certificate in ${names.certFile} is ${kind}; give one for a ${usage}`);
  }
  return certificate;
}

/** A certificate whose key fits. @throws ProtocolError CERTIFICATE_INVALID naming the file and the remedy */
export function checkKey({ certPem, keyPem }: CertificatePair, { certFile, keyFile }: PairNames): X509Certificate {
  const certificate = parsed(certPem, certFile);
  if (certificate.checkPrivateKey(privateKey(keyPem, keyFile))) return certificate;
  const remedy = "give the pair that was made together";
  throw invalid(`the private key in ${keyFile} does not belong to the certificate in ${certFile}; ${remedy}`);
}

/** Whether the private key is that of the certificate. @throws ProtocolError CERTIFICATE_INVALID naming the one that is none */
export function keyMatches({ certPem, keyPem }: CertificatePair, { certFile, keyFile }: PairNames): boolean {
  return parsed(certPem, certFile).checkPrivateKey(privateKey(keyPem, keyFile));
}

/** @throws ProtocolError CERTIFICATE_INVALID: not valid now */
export function checkDates(certificate: X509Certificate, certFile: string, nowMs: number = Date.now()): void {
  const { notBefore, notAfter } = summaryOf(certificate);
  if (notAfter.getTime() <= nowMs) {
    throw invalid(`the certificate in ${certFile} has expired on ${notAfter.toISOString()}; renew it`);
  }
  if (notBefore.getTime() > nowMs) {
    const text = `the certificate in ${certFile} is valid from ${notBefore.toISOString()} on; wait for that or set this machine's clock`;
    throw invalid(text);
  }
}

/** Whole days until this moment, rounded down; negative once it is over. */
export function daysLeft(notAfter: Date, nowMs: number = Date.now()): number {
  return Math.floor((notAfter.getTime() - nowMs) / limits.dayMs);
}

export function privateKey(keyPem: string, keyFile: string): KeyObject {
  try {
    return createPrivateKey(keyPem);
  } catch (cause) {
    if (/ENCRYPTED/.test(keyPem)) {
      const text = `the private key in ${keyFile} is encrypted; decrypt it with: openssl pkey -in ${keyFile} -out server-key.pem`;
      throw invalid(text, cause);
    }
    throw invalid(
      `${keyFile} holds no private key that can be used; it must be PEM text with -----BEGIN PRIVATE KEY-----`,
      cause,
    );
  }
}

export function invalid(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError("CERTIFICATE_INVALID", message, cause === undefined ? {} : { cause });
}
