import type { Command } from "commander";

/** The commands about one instance. */
export function registerInstance(runtara: Command): void {
  const withOperator = (command: Command): Command =>
    command
      .option("--server <ADDRESS>", "the core (RUNTARA_SERVER_ADDR, default 127.0.0.1:8001)")
      .option("--database-url <URL>", "no core: the database itself, sqlite:PATH or postgres://…")
      .option("--tenant <ID>", "tenant (RUNTARA_TENANT_ID, default `default`)");

  withOperator(
    runtara
      .command("export")
      .description("write everything that an instance has done as JSON lines")
      .argument("ID", "instance id")
      .option("--output <FILE>", "write to this file (default: stdout)"),
  )
    .addHelpText("after", "\nExit code: 0 written, 1 no such instance, 75 no core reachable, 78 configuration.")
    .action(async (id, options) => (await import("./export.ts")).exportInstance(id, options));

  runtara
    .command("replay")
    .description("run a workflow's code against an exported history; no step's body runs")
    .argument("FILE", "what `runtara export` wrote")
    .requiredOption("--workflow <FILE>", "module that exports the workflow")
    .addHelpText(
      "after",
      "\nExit code: 0 the code fits, 1 it does not (both sides are named on stderr), 78 configuration.",
    )
    .action(async (file, options) => (await import("./replay.ts")).replay(file, options));

  withOperator(
    runtara
      .command("resume")
      .description("let an instance go on that is paused, or that did not fit its code")
      .argument("ID", "instance id"),
  )
    .addHelpText("after", "\nExit code: 0 done, 1 refused or no such instance, 75 no core reachable, 78 configuration.")
    .action(async (id, options) => (await import("./resume.ts")).resume(id, options));
}
