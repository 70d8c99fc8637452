// Builds the Rust peers of interop/ and prints the folder that holds the programs.
import { join } from "node:path";
import { buildCrate } from "./cargo.ts";

process.stdout.write(`${join(buildCrate("the Rust peers", "interop"), "release")}\n`);
