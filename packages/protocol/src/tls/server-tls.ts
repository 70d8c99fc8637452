import type { CertificatePair } from "@runtara/quic";
import { type PemFiles, pemFiles, readAuthorities } from "./pem-files.ts";
import { resetKeyOf } from "./reset-key.ts";
import { type ServerIdentity, serverIdentity } from "./server-identity.ts";
import { type StopWatching, watchPemFiles, watchServerIdentity } from "./watch.ts";

/** Where a server's certificate comes from. */
export interface ServerTlsOptions {
  /** Keeps the identity of a server that is given no PEM files. */
  readonly dataDir: string;
  /** Where the server listens, `host:port`. */
  readonly bindAddr: string;
  /** What the server is, such as "core": servers that share certificate or folder have different reset keys. */
  readonly purpose: string;
  /** Certificate and key of the server's own; give both or none. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Certificates of the authorities whose clients are let in. Default: clients need no certificate. */
  readonly clientCaFile?: string | undefined;
}

/** What is told of a certificate while a server runs. */
export interface TlsLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** A server's side of TLS: what `listen` is given, and what keeps it up to date. */
export interface ServerTls {
  readonly certificate: CertificatePair;
  readonly clientCaPem: string | undefined;
  readonly resetKey: Uint8Array;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** The file that holds the certificate. */
  readonly file: string;
  readonly notAfter: Date;
  /** One sentence each, for the log. */
  readonly warnings: readonly string[];
  /**
   * Gives a running server each renewed certificate and logs it; what cannot be used is logged once and the old one stays.
   * Does not keep the process alive.
   */
  watch(server: { setCertificate(pair: CertificatePair): void }, logger: TlsLogger, intervalMs?: number): StopWatching;
}

/**
 * The certificate of a server: from PEM files where they are named, else the identity that is kept in `dataDir`, made there
 * at the first start.
 *
 * @throws ProtocolError CERTIFICATE_INVALID naming file and remedy; ADDON_MISSING
 */
export function serverTls(options: ServerTlsOptions): ServerTls {
  const { certFile, keyFile, clientCaFile } = options;
  if (certFile !== undefined && keyFile !== undefined) {
    return fromFiles({ certFile, keyFile, ...(clientCaFile === undefined ? {} : { clientCaFile }) }, options.purpose);
  }
  return fromIdentity(options);
}

function fromFiles(files: PemFiles, purpose: string): ServerTls {
  const loaded = pemFiles(files);
  return {
    ...loaded,
    clientCaPem: loaded.clientCaPem,
    resetKey: resetKeyOf(loaded.certificate.keyPem, purpose),
    file: files.certFile,
    watch(server, logger, intervalMs) {
      const onChange = ({ certificate, clientCaPem, fingerprint, notAfter, warnings }: typeof loaded): void => {
        server.setCertificate(certificate);
        logger.info({ fingerprint, file: files.certFile, notAfter }, "the certificate was renewed");
        for (const warning of warnings) logger.warn({}, warning);
        if (clientCaPem !== loaded.clientCaPem) {
          logger.warn(
            { file: files.clientCaFile },
            "the clients' authorities have changed; restart the server to use them",
          );
        }
      };
      return watchPemFiles(files, { onChange, onError: refusal(logger), ...interval(intervalMs) }, loaded);
    },
  };
}

function fromIdentity({ dataDir, bindAddr, purpose, clientCaFile }: ServerTlsOptions): ServerTls {
  const clientCaPem = clientCaFile === undefined ? undefined : readAuthorities(clientCaFile);
  const identity = serverIdentity(dataDir, { bindAddr, purpose });
  return {
    ...identity,
    clientCaPem,
    watch(server, logger, intervalMs) {
      const onChange = ({ certificate, fingerprint, file, notAfter }: ServerIdentity): void => {
        server.setCertificate(certificate);
        const message = "the certificate was renewed; give the new one to clients that pin or trust the old one";
        logger.warn({ fingerprint, file, notAfter }, message);
      };
      return watchServerIdentity(
        dataDir,
        { bindAddr, purpose, onChange, onError: refusal(logger), ...interval(intervalMs) },
        identity,
      );
    },
  };
}

function refusal(logger: TlsLogger): (error: unknown) => void {
  return (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    logger.error({ reason }, "the new certificate cannot be used; the server keeps the one it has");
  };
}

function interval(intervalMs: number | undefined): { intervalMs?: number } {
  return intervalMs === undefined ? {} : { intervalMs };
}
