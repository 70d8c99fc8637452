import { type ClientOptions, clientCertificate, readAuthorities } from "@runtara/protocol";

/** How a server is reached and believed, and who the client is. The first four exclude each other. */
export interface ServerAccess {
  /** Dangerous off this machine. With none of these four set, only a server on loopback is not verified; said once. */
  dangerouslySkipVerification?: boolean;
  /** Certificates, PEM, of authorities that are trusted instead of the public ones; a self-signed one is its own. */
  caPem?: string;
  /** SHA-256 of the server's certificate, 64 hexadecimal digits: this one and no other, whatever its names and dates. */
  serverFingerprint?: string;
  /** Trust the authorities of this machine instead of Mozilla's. */
  systemRoots?: boolean;
  /** Shown to a server that lets in only clients with one (mutual TLS), PEM. */
  certificate?: { readonly certPem: string; readonly keyPem: string };
  /** Default "quic". "http2" goes over TCP, to servers with RUNTARA_HTTP2=1; "auto" tries QUIC first. */
  transport?: "quic" | "http2" | "auto";
}

const names = [
  "dangerouslySkipVerification",
  "caPem",
  "serverFingerprint",
  "systemRoots",
  "certificate",
  "transport",
] as const satisfies readonly (keyof ServerAccess)[];

/** The members that are set, for the protocol's client. */
export function accessOf(options: ServerAccess): ServerAccess & ClientOptions {
  return Object.fromEntries(names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
}

type Environment = Readonly<Record<string, string | undefined>>;

const transports = ["quic", "http2", "auto"] as const;

/**
 * What RUNTARA_CA_FILE, RUNTARA_SERVER_FINGERPRINT, RUNTARA_CERT_FILE with RUNTARA_KEY_FILE, and RUNTARA_TRANSPORT set; unset
 * or empty ones leave their member out. `refuse` makes the error for a message that names variable, value and form.
 */
export function accessFromEnv(env: Environment, refuse: (message: string, cause?: unknown) => Error): ServerAccess {
  const access: ServerAccess = {};
  const caFile = env.RUNTARA_CA_FILE;
  if (caFile) access.caPem = used("RUNTARA_CA_FILE", () => readAuthorities(caFile), refuse);
  const fingerprint = env.RUNTARA_SERVER_FINGERPRINT;
  if (fingerprint) {
    if (!/^[0-9a-f]{64}$/i.test(fingerprint.replaceAll(":", ""))) {
      const form = "it must be a SHA-256, 64 hexadecimal digits, as runtara cert show prints it";
      throw refuse(`RUNTARA_SERVER_FINGERPRINT=${fingerprint} can't be read: ${form}`);
    }
    access.serverFingerprint = fingerprint;
  }
  const certificate = certificateOf(env, refuse);
  if (certificate) access.certificate = certificate;
  const transport = env.RUNTARA_TRANSPORT;
  if (transport) {
    const known = transports.find((one) => one === transport);
    if (!known)
      throw refuse(`RUNTARA_TRANSPORT=${transport} can't be read: it must be one of ${transports.join(", ")}`);
    access.transport = known;
  }
  return access;
}

function certificateOf(
  env: Environment,
  refuse: (message: string, cause?: unknown) => Error,
): ServerAccess["certificate"] {
  const { RUNTARA_CERT_FILE: certFile, RUNTARA_KEY_FILE: keyFile } = env;
  if (!certFile && !keyFile) return undefined;
  if (!certFile) throw refuse("RUNTARA_KEY_FILE is set without RUNTARA_CERT_FILE; set both or none");
  if (!keyFile) throw refuse("RUNTARA_CERT_FILE is set without RUNTARA_KEY_FILE; set both or none");
  return used("RUNTARA_CERT_FILE and RUNTARA_KEY_FILE", () => clientCertificate({ certFile, keyFile }), refuse);
}

function used<T>(names: string, load: () => T, refuse: (message: string, cause?: unknown) => Error): T {
  try {
    return load();
  } catch (cause) {
    throw refuse(`${names} can't be used: ${(cause as Error).message}`, cause);
  }
}
