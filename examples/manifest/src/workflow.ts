// A SHA-256 manifest of every file below a folder, one durable step per batch of files.
// Kill the process whenever you like and run it again under the same instance id: hashed batches are not hashed again.
import { step, workflow } from "@runtara/sdk";
import { type FileHash, hashFiles, inBatches, listFiles, writeManifest } from "./files.ts";
import { note } from "./ledger.ts";

export interface ManifestInput {
  /** Absolute path of the folder. */
  dir: string;
  /** Names of folders to leave out, wherever they stand. */
  skip: string[];
  /** Where the manifest goes, in the format of `sha256sum`. */
  manifest: string;
  /** A file that gets a line when a batch starts and when it ends: outside evidence of what ran. */
  ledger: string;
  filesPerStep: number;
  /** Batches hashed at the same time. */
  lanes: number;
}

export interface ManifestOutput {
  files: number;
  bytes: number;
  steps: number;
}

export const manifest = workflow("manifest", async (input: ManifestInput): Promise<ManifestOutput> => {
  const files = await step("list", () => listFiles(input.dir, input.skip));
  const batches = inBatches(files, input.filesPerStep);

  const hashes: FileHash[] = [];
  for (const lanes of inBatches([...batches.keys()], input.lanes)) {
    // Everything in here is acknowledged before the next round starts.
    const round = await Promise.all(
      lanes.map((batch) => step("hash", () => hashBatch(input, batch, batches[batch] ?? []), { key: batch })),
    );
    hashes.push(...round.flat());
  }

  await step("write", () => writeManifest(input.manifest, hashes));
  return { files: hashes.length, bytes: hashes.reduce((sum, hash) => sum + hash.bytes, 0), steps: batches.length };
});

async function hashBatch(input: ManifestInput, batch: number, paths: string[]): Promise<FileHash[]> {
  note(input.ledger, "start", batch);
  const hashed = await hashFiles(input.dir, paths);
  note(input.ledger, "end", batch);
  return hashed;
}
