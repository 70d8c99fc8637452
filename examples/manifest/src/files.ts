import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, rename, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";

export interface FileHash {
  /** Relative to the folder, with forward slashes. */
  path: string;
  sha256: string;
  bytes: number;
}

/** Files up to this size are read at once; larger ones as a stream. */
const wholeFileBytesMax = 1 << 20;

/** Regular files below `dir`, sorted; links are not followed. `skip` names folders to leave out. */
export async function listFiles(dir: string, skip: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const folders = [dir];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !skip.includes(entry.name)) folders.push(path);
      else if (entry.isFile()) found.push(relative(dir, path).split(sep).join("/"));
    }
  }
  return found.sort();
}

export async function hashFiles(dir: string, paths: readonly string[]): Promise<FileHash[]> {
  const hashes: FileHash[] = [];
  for (const path of paths) hashes.push(await hashFile(dir, path));
  return hashes;
}

async function hashFile(dir: string, path: string): Promise<FileHash> {
  const file = join(dir, path);
  const hash = createHash("sha256");
  await using handle = await open(file, "r");
  const { size } = await handle.stat();
  let bytes = 0;
  if (size <= wholeFileBytesMax) {
    const content = await handle.readFile();
    bytes = content.length;
    hash.update(content);
  } else {
    await pipeline(
      createReadStream(file, { highWaterMark: wholeFileBytesMax }),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          hash.update(chunk);
        }
      },
    );
  }
  return { path, sha256: hash.digest("hex"), bytes };
}

/** Replaces the manifest in one move, so that a killed attempt leaves no half of it. */
export async function writeManifest(file: string, hashes: readonly FileHash[]): Promise<void> {
  const draft = `${file}.draft`;
  await writeFile(draft, hashes.map(manifestLine).join(""));
  await rename(draft, file);
}

/** A line as `sha256sum` writes it: a name with a line break or backslash is escaped and the line starts with a backslash. */
export function manifestLine({ path, sha256 }: FileHash): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${escaped === path ? "" : "\\"}${sha256}  ${escaped}\n`;
}

export function inBatches<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = [];
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size));
  return batches;
}
