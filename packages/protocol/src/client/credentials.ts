import type { CertificatePair } from "@runtara/quic";
import { fromQuicError } from "../quic-errors.ts";
import { certificateBlocks, parsed } from "../tls/describe.ts";
import { checkKey } from "../tls/pair.ts";
import { checkServerName } from "../transport/server-name.ts";

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
    const blocks = certificateBlocks(caPem);
    for (const block of blocks.length > 0 ? blocks : [caPem]) parsed(block, "caPem");
  }
  if (certificate === undefined) return;
  checkKey(certificate, { certFile: "certificate.certPem", keyFile: "certificate.keyPem" });
}
