import type { Command } from "commander";

/** `runtara worker`. */
export function registerWorker(runtara: Command): void {
  runtara
    .command("worker")
    .description(
      "run the instances of the workflows in files that a core's queue has; any number of workers may share it",
    )
    .argument("<FILE...>", "modules that export workflows")
    .option("--workflow <NAME...>", "only these of them")
    .option(
      "--server <ADDRESS>",
      "the core, or several on one database with commas between (RUNTARA_SERVER_ADDR, default 127.0.0.1:8001)",
    )
    .option("--tenant <ID>", "tenant (RUNTARA_TENANT_ID, default `default`)")
    .option("--instances <COUNT>", "instances in memory at once (default 1000)")
    .option("--steps <COUNT>", "step bodies at once (default 256)")
    .option("--drain <TIME>", "how long running steps may go on after Ctrl-C, such as 10s (default 30s)")
    .addHelpText(
      "after",
      "\nPrints `ready worker NAME,…` on stdout once the core has answered; logs go to stderr. Ctrl-C lets running steps finish, hands the rest back and exits 0.\nRUNTARA_LOG_LEVEL: silent, error, warn, info (default) or debug. Exit code at the start: 75 no core reachable, 78 configuration.",
    )
    .action(async (files, options) => (await import("./worker.ts")).worker(files, options));
}
