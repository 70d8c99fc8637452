import type { Shown, ShownCertificate } from "./shown-file.ts";

/** The certificates for people: a block each, `label  value` lines. */
export function describeText(shown: Shown): string {
  const { source, via, certificates, keyFile, isKeyMatching, fingerprint } = shown;
  const from = ["source", via === undefined ? source : `${source} over ${via}`];
  const key =
    keyFile === undefined ? [] : [["private key", `${isKeyMatching ? "matches" : "DOES NOT MATCH"} (${keyFile})`]];
  const blocks = certificates.map((certificate, index) => [
    ...(index === 0 ? [from] : []),
    ...rowsOf(certificate),
    ...(index === 0 ? key : []),
  ]);
  if (fingerprint !== undefined) blocks.push([from, ["SHA-256", fingerprint]]);
  return blocks.map((rows) => rows.map(([label, value]) => `${label?.padEnd(12)} ${value}\n`).join("")).join("\n");
}

function rowsOf(certificate: ShownCertificate): string[][] {
  const { subject, names, issuer, isSelfSigned, usage, notBefore, notAfter, daysLeft, fingerprint } = certificate;
  return [
    ["subject", subject],
    ...(names.length > 0 ? [["names", names.join(", ")]] : []),
    ["issuer", isSelfSigned ? "itself" : issuer],
    ["usage", usage === "ca" ? "authority" : usage],
    ["valid from", notBefore.toISOString()],
    ["valid until", `${notAfter.toISOString()}  (${ending(daysLeft)})`],
    ["SHA-256", fingerprint],
  ];
}

function ending(daysLeft: number): string {
  if (daysLeft < 0) return "EXPIRED";
  return daysLeft === 1 ? "1 day left" : `${daysLeft} days left`;
}
