import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "./child.ts";

const root = join(import.meta.dirname, "..", "..");

/** Packs what a release has and installs the SDK from the tarballs into an empty folder, as a user would. @returns the folder */
export async function installPacked(folder: string, progress: (text: string) => void): Promise<string> {
  progress("packing, and installing the tarballs in an empty folder");
  const out = join(folder, "tarballs");
  await runProgram(process.execPath, [join(root, "scripts", "pack.ts"), "--out", out]);
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  const script = `cd '${folder}' && npm install --no-audit --no-fund --silent ./tarballs/*.tgz`;
  await runProgram("sh", ["-c", script]);
  return folder;
}
