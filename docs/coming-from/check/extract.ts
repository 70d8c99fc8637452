// Writes the blocks of other systems, and the services that all of them use, into ./out.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const out = join(here, "out");
rmSync(out, { recursive: true, force: true });
mkdirSync(out);
let count = 0;
for (const page of globSync("*.md", { cwd: join(here, "..") })) {
  const text = readFileSync(join(here, "..", page), "utf8");
  for (const [, language, name = "", code = ""] of text.matchAll(/^```(typescript|ts)\n\/\/ (\S+)\n(.*?)^```/gms)) {
    if (language === "ts" && name !== "services.ts") continue;
    writeFileSync(join(out, name), code);
    count += 1;
  }
}
const compilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  module: "nodenext",
  target: "es2024",
  lib: ["es2024", "dom"],
  types: [],
  allowImportingTsExtensions: true,
};
writeFileSync(join(out, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
console.log(`${count} files`);
