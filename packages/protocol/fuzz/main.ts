// Searches for inputs that break a promise: npm run fuzz -w packages/protocol -- --seconds 600 --target request
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seedInputs } from "./corpus.ts";
import { fuzz } from "./fuzz.ts";
import { type Target, targets } from "./targets.ts";

const usage = `usage: npm run fuzz -w packages/protocol -- [--target NAME] [--seconds N] [--seed N] | --target NAME --replay FILE
targets: ${Object.keys(targets).join(", ")}; all of them, N seconds each, when none is named (default 60)
An input that breaks a target is saved in fuzz/crashes/TARGET/, where the tests find it, too; --replay shows its error.`;

function main(): number {
  const { values } = parseArgs({
    options: {
      target: { type: "string" },
      seconds: { type: "string", default: "60" },
      seed: { type: "string" },
      replay: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const names = values.target === undefined ? Object.keys(targets) : [values.target];
  const seconds = Number(values.seconds);
  if (values.help || !(seconds > 0) || !names.every((name) => name in targets)) {
    console.error(usage);
    return values.help ? 0 : 2;
  }
  const [first] = names;
  if (values.replay !== undefined && first !== undefined) {
    targets[first]?.(Uint8Array.from(readFileSync(values.replay)));
    console.log(`${basename(values.replay)} breaks nothing`);
    return 0;
  }
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const failures = names.filter((name) => {
    const target = targets[name];
    return target !== undefined && isBroken(name, target, seconds, seed);
  });
  return failures.length === 0 ? 0 : 1;
}

function isBroken(name: string, target: Target, seconds: number, seed: number): boolean {
  const { runs, blocks, corpus, crash } = fuzz(target, {
    seed,
    seconds,
    seeds: seedInputs(name),
    folder: "/packages/protocol/src/",
  });
  console.log(`${name}: ${runs} inputs, ${blocks} blocks reached, ${corpus.length} kept, seed ${seed}`);
  if (crash === undefined) return false;
  const folder = fileURLToPath(new URL(`crashes/${name}/`, import.meta.url));
  const file = join(folder, createHash("sha256").update(crash.input).digest("hex").slice(0, 16));
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, crash.input);
  console.error(crash.error);
  console.error(`saved; again: npm run fuzz -w packages/protocol -- --target ${name} --replay ${file}`);
  return true;
}

process.exitCode = main();
