import type { CertificatePair } from "@runtara/quic";
import { ProtocolError } from "../errors.ts";
import { fromQuicError } from "../quic-errors.ts";
import { parsed } from "../tls/describe.ts";
import { keyMatches } from "../tls/pair.ts";
import { checkServerName } from "../transport/http2/trust.ts";

interface Credentials {
  readonly serverName: string;
  readonly caPem?: string | undefined;
  readonly certificate?: CertificatePair | undefined;
}

/**
 * What is wrong with them whatever the server: nothing is connected, nor the addon loaded.
 *
 * @throws ProtocolError SERVER_NAME_INVALID, CERTIFICATE_INVALID naming the option
 */
export function checkCredentials({ serverName, caPem, certificate }: Credentials): void {
  try {
    // A dot at the end only says that the name is whole.
    checkServerName(serverName.replace(/\.$/, ""));
  } catch (error) {
    throw fromQuicError(error);
  }
  if (caPem !== undefined) {
    const blocks = caPem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
    for (const block of blocks ?? [caPem]) parsed(block, "caPem");
  }
  if (certificate === undefined) return;
  const names = { certFile: "certificate.certPem", keyFile: "certificate.keyPem" };
  if (keyMatches(certificate, names)) return;
  const text = `the private key in ${names.keyFile} does not belong to ${names.certFile}; give the pair that was made together`;
  throw new ProtocolError("CERTIFICATE_INVALID", text);
}
