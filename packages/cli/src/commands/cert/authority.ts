import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CertificatePair, describeCertificate, keyMatches } from "@runtara/protocol";

/** The authority that `runtara cert ca` has put into this folder. @throws Error naming the file and the remedy */
export function readAuthority(folder: string): CertificatePair {
  const certFile = join(folder, "ca.pem");
  const keyFile = join(folder, "ca-key.pem");
  const pair = { certPem: text(certFile), keyPem: text(keyFile) };
  const { usage, notAfter } = describeCertificate(pair.certPem);
  if (usage !== "ca")
    throw new Error(`${certFile} is not an authority's certificate; make one: runtara cert ca --out ${folder}`);
  if (!keyMatches(pair, { certFile, keyFile })) {
    throw new Error(`${keyFile} does not belong to ${certFile}; give a folder whose files were made together`);
  }
  if (notAfter.getTime() <= Date.now()) {
    const remedy = `make a new one: runtara cert ca --out ${folder} --force`;
    throw new Error(`the authority ${certFile} has expired on ${notAfter.toISOString()}; ${remedy}`);
  }
  return pair;
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const message = `cannot read ${path} (${reason}); --ca is the folder that runtara cert ca --out was given`;
    throw new Error(message, { cause });
  }
}
