// The `runtara` command. Each subcommand is loaded when it is called, so `--help` costs nothing of a server.
import { createRequire } from "node:module";
import { Command, CommanderError, Option } from "commander";
import { registerCert } from "./commands/cert/register.ts";
import { registerDatabase } from "./commands/database/register.ts";
import { registerInstance } from "./commands/instance/register.ts";
import { registerWorker } from "./commands/worker/register.ts";
import { fail } from "./fail.ts";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };

/** Runs the command line `argv` (as process.argv) and sets process.exitCode. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(argv);
  } catch (error) {
    // Commander has printed its message and usage already.
    if (error instanceof CommanderError) process.exitCode = error.exitCode;
    else fail(error);
  }
}

function program(): Command {
  const runtara = new Command("runtara")
    .description("Durable execution that you host yourself.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .showHelpAfterError("(see runtara --help)")
    .exitOverride();

  runtara
    .command("core")
    .description("start a core server: it keeps the checkpoints of workflows")
    .option(
      "--database-url <URL>",
      "sqlite:PATH or postgres://… (RUNTARA_DATABASE_URL, default sqlite:.runtara/runtara.db)",
    )
    .option("--host <HOST>", "address to listen on (RUNTARA_BIND_HOST, default 127.0.0.1)")
    .option("--port <PORT>", "UDP port, 0 takes a free one (RUNTARA_QUIC_PORT, default 8001)")
    .option("--admin-port <PORT>", "UDP port for operators, 0 = none (RUNTARA_ADMIN_PORT, default 8003)")
    .option("--http-port <PORT>", "/healthz, /readyz, /metrics; 0 takes a free one (RUNTARA_HTTP_PORT, default none)")
    .option(
      "--tls-cert <FILE>",
      "certificate, PEM (RUNTARA_TLS_CERT_FILE; default: one of its own, kept in the data folder)",
    )
    .option("--tls-key <FILE>", "its private key, PEM (RUNTARA_TLS_KEY_FILE)")
    .option(
      "--client-ca <FILE>",
      "let in only clients with a certificate of these authorities (RUNTARA_TLS_CLIENT_CA_FILE)",
    )
    .option("--data-dir <DIR>", "what the server keeps beside its database (DATA_DIR, default .runtara)")
    .option("--http2", "listen for HTTP/2 on the same port, TCP, too (RUNTARA_HTTP2)")
    .addHelpText(
      "after",
      "\nPrints `ready core ADDRESS` on stdout once it listens; logs go to stderr. Ctrl-C finishes the calls in flight and exits 0.\nOptions win over variables, variables over a .env file. RUNTARA_LOG_LEVEL: silent, error, warn, info (default) or debug. RUNTARA_LOG_FORMAT: json or pretty.\nAll variables: docs/configuration.md.",
    )
    .action(async (options) => (await import("./commands/core.ts")).core(options));

  registerDatabase(runtara);
  registerCert(runtara);
  registerInstance(runtara);
  registerWorker(runtara);

  runtara
    .command("run")
    .description("run a workflow file as a process against a core; the same --instance resumes it")
    .argument("FILE", "module that exports a workflow")
    .option("--input <JSON>", "input of a new instance; JSON, or @FILE to read it from a file")
    .option("--instance <ID>", "instance id; run again with the same id to resume (default: a new UUID)")
    .option("--workflow <NAME>", "which one, if FILE exports several and none as default")
    .option("--server <ADDRESS>", "the core (RUNTARA_SERVER_ADDR, default 127.0.0.1:8001)")
    .option("--tenant <ID>", "tenant (RUNTARA_TENANT_ID, default `default`)")
    .option("--json", "print the result as one JSON object {instanceId, status, output | error}")
    .addOption(new Option("--progress <KIND>", "on stderr").choices(["text", "json", "none"]).default("text"))
    .addHelpText(
      "after",
      "\nPrints the output as JSON on stdout. Exit code: 0 completed, 1 failed or stopped, 75 no core reachable, 78 configuration.\nA finished instance is not run again: its stored output or error is printed.",
    )
    .action(async (file, options) => (await import("./commands/run.ts")).run(file, options));

  return runtara;
}
