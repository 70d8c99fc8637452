import { isIP } from "node:net";
import { join } from "node:path";
import {
  type CertificatePair,
  type CertificateSummary,
  describeCertificate,
  generateCertificate,
} from "@runtara/protocol";
import { readAuthority } from "./authority.ts";
import { writePair } from "./write-pair.ts";

export type CertificateUsage = "ca" | "server" | "client";

export interface IssueOptions {
  readonly out: string;
  /** An authority has one, the others a list. */
  readonly name: string | readonly string[];
  readonly days: string;
  /** Not for an authority: it signs itself. */
  readonly ca?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `runtara cert ca|server|client`: makes a certificate and its key and says where they are. */
export function issue(usage: CertificateUsage, options: IssueOptions): void {
  const files = { certFile: join(options.out, `${usage}.pem`), keyFile: join(options.out, `${usage}-key.pem`) };
  const pair = made(usage, options);
  writePair(pair, files, options.force === true);
  const summary = describeCertificate(pair.certPem);
  process.stdout.write(options.json ? `${JSON.stringify({ ...files, ...summary })}\n` : textOf(files, summary));
}

function made(usage: CertificateUsage, { name, days: text, ca }: IssueOptions): CertificatePair {
  const names = typeof name === "string" ? [name] : name;
  const days = daysOf(text);
  for (const one of names) checkName(usage, one);
  if (ca === undefined) return generateCertificate({ names, usage, days });
  const issuer = readAuthority(ca);
  const { notAfter } = describeCertificate(issuer.certPem);
  // Beyond its authority's end it would be worth nothing.
  const end = new Date(Math.min(Date.now() + days * 86_400_000, notAfter.getTime()));
  return generateCertificate({ names, usage, issuer, days, notAfter: end });
}

/** Certificates hold ASCII; what is no address or host name would never match what a client asks for. */
function checkName(usage: CertificateUsage, name: string): void {
  if (usage === "server" && isIP(name) === 0 && !/^(\*\.)?[\w-]+(\.[\w-]+)*$/.test(name)) {
    throw new Error(
      `--name ${name} is neither a host name nor an IP address; international names go in their xn-- form`,
    );
  }
  if (!/^[\x20-\x7e]{1,200}$/.test(name)) {
    throw new Error(`--name ${name} cannot be in a certificate; give 1 to 200 ASCII characters`);
  }
}

function daysOf(text: string): number {
  const days = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (days < 1) throw new Error(`--days ${text} is no number of days; give a whole number from 1 up`);
  return days;
}

function textOf(files: { certFile: string; keyFile: string }, summary: CertificateSummary): string {
  const { subject, names, notAfter, fingerprint } = summary;
  const lines = [
    `certificate  ${files.certFile}`,
    `private key  ${files.keyFile}  (keep it secret)`,
    `subject      ${subject}`,
    ...(names.length > 0 ? [`names        ${names.join(", ")}`] : []),
    `valid until  ${notAfter.toISOString()}`,
    `SHA-256      ${fingerprint}`,
  ];
  return `${lines.join("\n")}\n`;
}
