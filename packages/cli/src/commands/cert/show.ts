import { existsSync } from "node:fs";
import { readServerIdentity } from "@runtara/protocol";
import { loadDotEnv, readTlsSettings } from "@runtara/server-kit";
import { type Shown, shownFile } from "./shown-file.ts";
import { shownServer } from "./shown-server.ts";
import { describeText } from "./text.ts";

export interface ShowOptions {
  readonly key?: string;
  readonly dataDir?: string;
  readonly pem?: boolean;
  readonly fingerprint?: boolean;
  readonly json?: boolean;
}

/** `runtara cert show`: what a file holds, a server shows, or DATA_DIR keeps. */
export async function show(target: string | undefined, options: ShowOptions): Promise<void> {
  const shown = await find(target, options);
  if (options.pem) printPem(shown);
  else if (options.fingerprint) process.stdout.write(`${shown.fingerprint ?? shown.certificates[0]?.fingerprint}\n`);
  else process.stdout.write(options.json ? `${JSON.stringify(json(shown))}\n` : describeText(shown));
}

async function find(target: string | undefined, options: ShowOptions): Promise<Shown> {
  if (target === undefined) return shownIdentity(options.dataDir);
  if (existsSync(target)) return shownFile(target, options.key);
  if (/^[^/\\]+:\d{1,5}$/.test(target)) return await shownServer(target);
  throw new Error(`${target} is no file that exists and no HOST:PORT, such as 127.0.0.1:8001`);
}

function printPem({ source, certificates }: Shown): void {
  if (certificates.length === 0) {
    const message = `of ${source} only the fingerprint is known; pin it (RUNTARA_SERVER_FINGERPRINT), or run runtara cert show --pem there`;
    throw new Error(message);
  }
  process.stdout.write(certificates.map(({ pem }) => pem).join(""));
}

function shownIdentity(dataDir: string | undefined): Shown {
  loadDotEnv();
  const dir = dataDir ?? readTlsSettings(process.env).dataDir;
  const identity = readServerIdentity(dir);
  if (identity === undefined) {
    throw new Error(
      `no certificate is kept in ${dir} yet; the first start of runtara core makes one (or set DATA_DIR)`,
    );
  }
  return shownFile(identity.file, undefined);
}

function json({ certificates, ...rest }: Shown): object {
  return { ...rest, certificates: certificates.map(({ pem: _, ...certificate }) => certificate) };
}
