#!/usr/bin/env node
// In a checkout the sources run as they are; an installed package runs what was built.
import { existsSync } from "node:fs";
import { enableCompileCache, flushCompileCache, registerHooks } from "node:module";

// Compiled code, and in a checkout the sources without their types, are kept between starts: a third of the time and memory.
// Written early, because a process that is killed writes nothing at its end.
enableCompileCache();
setTimeout(flushCompileCache, 700).unref();

if (existsSync(new URL("../src/main.ts", import.meta.url)) && !process.execArgv.includes("--conditions=runtara-src")) {
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...(context.conditions ?? []), "runtara-src"] }),
  });
}

const { main } = await import("runtara/main");
await main(process.argv);
