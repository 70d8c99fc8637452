// What `runtara database` looks like on the command line.
import type { Command } from "commander";
import type { DatabaseOptions } from "./database.ts";

const help = `
The database is --database-url, else RUNTARA_DATABASE_URL (also of a .env file), else sqlite:.runtara/runtara.db.
Exit code: 0 done, 1 failed or damaged.`;

export function registerDatabase(runtara: Command): void {
  const database = runtara
    .command("database")
    .description("look after a database: check, back up, compact, bring up to date")
    .addHelpText("after", help);

  common(
    database.command("check").description("look whether a SQLite database is sound, or whether PostgreSQL answers"),
  ).action(async (options: DatabaseOptions) => (await import("./database.ts")).check(options));

  common(
    database.command("backup").description("copy a SQLite database while servers use it; pg_dump is for PostgreSQL"),
  )
    .argument("FILE", "the copy; must not exist yet")
    .action(async (file: string, options: DatabaseOptions) => (await import("./database.ts")).backup(file, options));

  common(
    database.command("vacuum").description("give the free space of a SQLite database back; servers wait meanwhile"),
  ).action(async (options: DatabaseOptions) => (await import("./database.ts")).vacuum(options));

  common(
    database.command("migrate").description("make the tables, or bring those of an older version up to date"),
  ).action(async (options: DatabaseOptions) => (await import("./database.ts")).migrate(options));
}

function common(command: Command): Command {
  return command
    .option("--database-url <URL>", "sqlite:PATH or postgres://… (RUNTARA_DATABASE_URL)")
    .option("--json", "print the result as a JSON object")
    .addHelpText("after", help);
}
