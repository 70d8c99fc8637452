// `node bench/echo-server.ts ADDR`: a target for load generators. Answers each PollSignals with a CANCEL signal for the asked
// instance; prints `ready echo ADDR` once it listens and ends at SIGTERM, at Ctrl-C, or when the pipe on its stdin closes.
//
// This file alone is CommonJS without a type in it, so that any Node can start it: one that can't run TypeScript hands over to the
// Node of the checkout.
const { spawn } = require("node:child_process");
const { join } = require("node:path");

const address = process.argv[2] ?? "127.0.0.1:8001";
const [major, minor] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  void import("./src/echo-server.ts").then(({ runEchoServer }) => runEchoServer(address));
} else {
  const child = spawn(join(__dirname, "../node_modules/.bin/node"), [__filename, address], { stdio: "inherit" });
  child.on("error", () => {
    process.stderr.write(`Node ${process.versions.node} can't run this: use 22.18 or newer, or npm run setup first\n`);
    process.exit(1);
  });
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}
