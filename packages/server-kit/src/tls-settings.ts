import { ConfigError } from "./config-error.ts";
import { type Environment, readOptionalString, readString } from "./environment-variables.ts";

/** What a server is told of TLS by its environment. Nothing is opened here. */
export interface TlsSettings {
  /** Keeps the certificate that a server makes for itself; default `.runtara`. */
  readonly dataDir: string;
  /** Certificate and private key of its own, PEM; both or none. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The authorities whose clients are let in, PEM. Without it clients need no certificate. */
  readonly clientCaFile?: string;
}

const certVariable = "RUNTARA_TLS_CERT_FILE";
const keyVariable = "RUNTARA_TLS_KEY_FILE";

/** DATA_DIR, RUNTARA_TLS_CERT_FILE, RUNTARA_TLS_KEY_FILE, RUNTARA_TLS_CLIENT_CA_FILE. Throws `ConfigError`: one of a pair is missing. */
export function readTlsSettings(env: Environment): TlsSettings {
  const certFile = readOptionalString(env, certVariable);
  const keyFile = readOptionalString(env, keyVariable);
  const clientCaFile = readOptionalString(env, "RUNTARA_TLS_CLIENT_CA_FILE");
  if (certFile !== undefined && keyFile === undefined) throw halfPair(certVariable, keyVariable);
  if (keyFile !== undefined && certFile === undefined) throw halfPair(keyVariable, certVariable);
  return {
    dataDir: readString(env, "DATA_DIR", ".runtara"),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(clientCaFile === undefined ? {} : { clientCaFile }),
  };
}

function halfPair(given: string, missing: string): ConfigError {
  return new ConfigError(
    "MISSING",
    missing,
    `${given} is set without ${missing}; set both, or none for a certificate that the server makes`,
  );
}
