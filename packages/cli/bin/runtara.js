#!/usr/bin/env node
// In a checkout the sources run as they are; an installed package runs what was built.
import { existsSync } from "node:fs";
import module from "node:module";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`runtara needs Node 22.18 or newer; this is ${process.version}\n`);
  process.exit(1);
}

// Compiled code, and in a checkout the sources without their types, are kept between starts: a third of the time and memory.
// Written early, because a process that is killed writes nothing at its end.
module.enableCompileCache();
setTimeout(module.flushCompileCache, 700).unref();

if (existsSync(new URL("../src/main.ts", import.meta.url)) && !process.execArgv.includes("--conditions=runtara-src")) {
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...(context.conditions ?? []), "runtara-src"] }),
  });
}

const { main } = await import("runtara/main");
await main(process.argv);
