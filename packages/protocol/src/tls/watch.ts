import { limits } from "../limits.ts";
import { invalid } from "./pair.ts";
import { checkTexts, type LoadedPemFiles, type PemFiles, type PemTexts, readTexts } from "./pem-files.ts";
import {
  readServerIdentity,
  type ServerIdentity,
  type ServerIdentityOptions,
  serverIdentity,
} from "./server-identity.ts";

export interface WatchOptions<Loaded> {
  /** The new state, whole and checked. What it throws goes to `onError`. */
  readonly onChange: (loaded: Loaded) => void;
  /** What is there now cannot be used; told once for each bad state. What was loaded before stays. */
  readonly onError: (error: unknown) => void;
  /** Default: PEM files 5,000, the identity twelve hours. */
  readonly intervalMs?: number;
}

/** Ends the watching. */
export type StopWatching = () => void;

/**
 * Tells of each change of PEM files. They are read again at each interval rather than watched by the system, because a
 * renewal may swap a link anywhere in their paths. A state counts once it is whole, so files may be replaced one after the
 * other; one that is bad counts once it was seen twice. Does not keep the process alive.
 *
 * @param current what was loaded before; without it what is there first is told as a change
 */
export function watchPemFiles(
  files: PemFiles,
  options: WatchOptions<LoadedPemFiles>,
  current?: LoadedPemFiles,
): StopWatching {
  let seen = current && stateOf({ ...current.certificate, ...current });
  let suspect: string | undefined;
  const look = (): void => {
    let state: string | undefined;
    try {
      const texts = readTexts(files);
      state = stateOf(texts);
      if (state === seen) return;
      options.onChange(checkTexts(files, texts));
      seen = state;
    } catch (error) {
      state ??= String(error);
      if (state === suspect && state !== seen) {
        seen = state;
        options.onError(error);
      }
      suspect = state;
    }
  };
  return every(options.intervalMs ?? limits.pemPollMs, look);
}

/**
 * Renews the identity in `dir` in time, and tells when it did or another process has. One that has gone is an error and not
 * made anew: it may come back. Does not keep the process alive.
 */
export function watchServerIdentity(
  dir: string,
  options: WatchOptions<ServerIdentity> & ServerIdentityOptions,
  current: ServerIdentity,
): StopWatching {
  let { fingerprint } = current;
  let told: string | undefined;
  const look = (): void => {
    try {
      if (readServerIdentity(dir, options) === undefined) throw invalid(`the server's identity in ${dir} has gone`);
      const identity = serverIdentity(dir, options);
      told = undefined;
      if (identity.fingerprint === fingerprint) return;
      options.onChange(identity);
      fingerprint = identity.fingerprint;
    } catch (error) {
      if (String(error) !== told) options.onError(error);
      told = String(error);
    }
  };
  return every(options.intervalMs ?? limits.identityCheckMs, look);
}

function stateOf({ certPem, keyPem, clientCaPem }: PemTexts): string {
  return JSON.stringify([certPem, keyPem, clientCaPem]);
}

function every(intervalMs: number, look: () => void): StopWatching {
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
