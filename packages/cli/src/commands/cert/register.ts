// What `runtara cert` looks like on the command line.
import type { Command } from "commander";
import type { IssueOptions } from "./issue.ts";
import type { ShowOptions } from "./show.ts";

const issued = "Existing files stay as they are unless --force is given. Private keys can be read by their owner only.";

export function registerCert(runtara: Command): void {
  const cert = runtara
    .command("cert")
    .description("make and show certificates: an authority of one's own, servers, clients")
    .addHelpText("after", `\nExamples:\n${[examples.ca, examples.server, examples.client, examples.show].join("\n")}`);

  issuing(cert.command("ca").description("make an authority: ca.pem for everybody, ca-key.pem to be kept secret"))
    .option("--name <NAME>", "what it is called", "Runtara authority")
    .option("--days <DAYS>", "how long it is valid", "3650")
    .addHelpText("after", help(examples.ca, issued))
    .action(async (options: IssueOptions) => (await import("./issue.ts")).issue("ca", options));

  issuing(cert.command("server").description("make a server's certificate: server.pem and server-key.pem"))
    .requiredOption("--ca <DIR>", "folder with ca.pem and ca-key.pem")
    .requiredOption("--name <HOST>", "host name or address that clients use; give it again for more", collect)
    .option("--days <DAYS>", "how long it is valid", "365")
    .addHelpText("after", help(examples.server, issued))
    .action(async (options: IssueOptions) => (await import("./issue.ts")).issue("server", options));

  issuing(cert.command("client").description("make a client's certificate: client.pem and client-key.pem"))
    .requiredOption("--ca <DIR>", "folder with ca.pem and ca-key.pem")
    .requiredOption("--name <ID>", "who the client is; servers see it", collect)
    .option("--days <DAYS>", "how long it is valid", "365")
    .addHelpText("after", help(examples.client, issued))
    .action(async (options: IssueOptions) => (await import("./issue.ts")).issue("client", options));

  cert
    .command("show")
    .description("show certificates: of a file, of a server that runs, or the one in DATA_DIR")
    .argument("[FILE|HOST:PORT]", "default: what servers without PEM files show, kept in DATA_DIR (.runtara)")
    .option("--key <FILE>", "private key to compare (default: in FILE itself, or NAME-key.pem beside NAME.pem)")
    .option("--data-dir <DIR>", "where to look without an argument (DATA_DIR, default .runtara)")
    .option("--pem", "print the certificates alone, to be given to clients (RUNTARA_CA_FILE)")
    .option("--fingerprint", "print the SHA-256 alone, to be pinned by clients (RUNTARA_SERVER_FINGERPRINT)")
    .option("--json", "print a JSON object")
    .addHelpText("after", help(examples.show, "Nothing is verified; compare the fingerprint."))
    .action(async (target: string | undefined, options: ShowOptions) =>
      (await import("./show.ts")).show(target, options),
    );
}

function issuing(command: Command): Command {
  return command
    .option("--out <DIR>", "where the files go", ".")
    .option("--force", "replace files that exist")
    .option("--json", "print what was made as a JSON object");
}

function collect(name: string, names: readonly string[] = []): string[] {
  return [...names, name];
}

function help(example: string, remark: string): string {
  return `\n${remark}\n\nExamples:\n${example}`;
}

const examples = {
  ca: "  runtara cert ca --out tls --name 'Example authority'",
  server:
    "  runtara cert server --ca tls --name core.example --name 10.0.0.5 --out tls\n" +
    "  runtara core --tls-cert tls/server.pem --tls-key tls/server-key.pem --client-ca tls/ca.pem",
  client: "  runtara cert client --ca tls --name worker-7 --out tls",
  show:
    "  runtara cert show\n  runtara cert show tls/server.pem\n  runtara cert show core.example:8001 --json\n" +
    "  runtara cert show --pem > core.pem",
};
