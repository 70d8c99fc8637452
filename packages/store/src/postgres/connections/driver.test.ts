import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

/** Runs a module in a process in which the package pg cannot be found. */
async function withoutDriver(script: string): Promise<string> {
  const program = `
    import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier !== "pg") return next(specifier, context);
        throw Object.assign(new Error("Cannot find package 'pg'"), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });
    ${script}`;
  const args = [...process.execArgv, "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname });
  return stdout.trim();
}

test("where the package pg is not installed PostgreSQL says what to install, by either entry, and SQLite works", async () => {
  const said = await withoutDriver(`
    const { openStore } = await import("@runtara/store");
    const { openPostgresStore } = await import("@runtara/store/postgres");
    const { parseDatabaseUrl } = await import("@runtara/store");
    const url = "postgres://nobody@127.0.0.1:9/none";
    const refused = (error) => console.log(error.name, error.code, error.message);
    await openStore(url).catch(refused);
    await openPostgresStore(parseDatabaseUrl(url)).catch(refused);
    const { mkdtempSync, rmSync } = await import("node:fs");
    const { tmpdir } = await import("node:os");
    const folder = mkdtempSync(tmpdir() + "/runtara-driver-");
    const store = await openStore("sqlite:" + folder + "/a.db");
    console.log((await store.run({ kind: "checkHealth" })).outcome);
    await store.close();
    rmSync(folder, { recursive: true });
  `);
  const missing = "StoreError DRIVER_MISSING PostgreSQL needs the package pg (not installed); run: npm install pg@8";
  assert.deepEqual(said.split("\n"), [missing, missing, "healthy"]);
});
