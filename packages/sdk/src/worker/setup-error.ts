import type { ProtocolError, TlsErrorCode } from "@runtara/protocol";
import { ConfigError, ConnectionError } from "../errors.ts";

const caFile = "RUNTARA_CA_FILE to the certificate the core shows or that of its authority";

/** Remedies in terms of the environment; the protocol's own text says whose certificate it is about. */
const tlsAdvice: Readonly<Record<TlsErrorCode | "TLS_FAILED", string>> = {
  TLS_NAME_MISMATCH: "set RUNTARA_SERVER_NAME to a name in the core's certificate",
  TLS_CERTIFICATE_UNKNOWN: `for the core's certificate set ${caFile}, or RUNTARA_SERVER_FINGERPRINT; for this client's set RUNTARA_CERT_FILE to one that the core's --client-ca has signed`,
  TLS_CERTIFICATE_EXPIRED:
    "make a new one with runtara cert server (the core's) or runtara cert client (RUNTARA_CERT_FILE)",
  TLS_CLIENT_CERTIFICATE_REQUIRED: "set RUNTARA_CERT_FILE and RUNTARA_KEY_FILE; runtara cert client makes them",
  TLS_FAILED: `set ${caFile}, or RUNTARA_SERVER_NAME to a name in it`,
};

/** Why no connection can be set up at all; trying again would not help. */
export function setupError(server: string, error: ProtocolError): ConfigError | ConnectionError {
  if (error.code === "TLS_FAILED") {
    const { tlsCode = error.code } = error;
    const advice = tlsAdvice[tlsCode];
    const text = `no secure connection to the core at ${server} (${tlsCode}): ${error.message}; ${advice}`;
    return new ConnectionError(text, { cause: error });
  }
  return new ConfigError(`the connection to ${JSON.stringify(server)} can't be set up: ${error.message}`, {
    cause: error,
  });
}

/** Nobody answered in time. */
export function unreachable(servers: readonly string[], timeoutMs: number, error: ProtocolError): ConnectionError {
  return new ConnectionError(
    `no core answers at ${servers.join(" or ")} within ${timeoutMs} ms (${error.message}); start one with: npx runtara core`,
    { cause: error },
  );
}
