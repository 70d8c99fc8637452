import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { limits } from "../limits.ts";
import { invalid } from "./pair.ts";

/**
 * Writes a file that only its owner can read, whole or not at all, under a name that must be free.
 *
 * @returns false if the name was taken meanwhile; the file that is there stays
 */
export function createSecretFile(path: string, text: string): boolean {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = openSync(temporary, "wx", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // Unlike a rename, a link never takes the place of a file.
    linkSync(temporary, path);
    syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Makes a folder, and those above it that are missing, that only its owner can enter. */
export function makeSecretDirectory(path: string): void {
  // Not mkdir's recursive mode: it never returns where a parent exists and mkdir says otherwise, as in /proc.
  if (existsSync(path)) return;
  makeSecretDirectory(dirname(resolve(path)));
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** So that the name survives a power cut, too. */
function syncDirectory(path: string): void {
  // Windows opens no directories.
  if (process.platform === "win32") return;
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** The text of a PEM file. `what` completes "… cannot be read". @throws ProtocolError CERTIFICATE_INVALID */
export function readPemFile(path: string, what: string): string {
  try {
    const { size } = statSync(path);
    if (size > limits.pemBytesMax) throw new Error(`it has ${size} bytes, the limit is ${limits.pemBytesMax}`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(
      `the ${what} ${path} cannot be read (${reason}); give the path of a PEM file that this user may read`,
      cause,
    );
  }
}

/** Whether others than the owner may read it; always false on Windows, which has no such modes. */
export function isReadableByOthers(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0;
}
