// Restate: `node restate.mjs FOLDER` starts its server with its data in FOLDER and everything as shipped but for ports, and serves a workflow to it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import * as restate from "@restatedev/restate-sdk";
import { connect } from "@restatedev/restate-sdk-clients";
import { serveRounds } from "../src/steps/rounds.ts";

const folder = process.argv[2];
const work = restate.workflow({
  name: "work",
  handlers: {
    run: async (ctx, steps) => {
      let sum = 0;
      for (let i = 0; i < steps; i++) sum += await ctx.run("add", async () => 1);
      return sum;
    },
  },
});
const [ingress, admin, node, endpoint] = await freePorts(4);
// Silent, as ours: a line for each invocation would cost time.
await restate.serve({ services: [work], port: endpoint, logger: () => {} });

const package_ = createRequire(import.meta.url).resolve(
  `@restatedev/restate-server-${process.platform}-${process.arch}/package.json`,
);
const server = spawn(join(package_, "..", "bin", "restate-server"), ["--base-dir", folder, "--node-name", "bench"], {
  stdio: ["ignore", "pipe", "pipe"],
  env: {
    ...process.env,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
    RUST_LOG: "warn",
  },
});
const log = createWriteStream(join(folder, "server.log"));
server.stdout.pipe(log);
server.stderr.pipe(log);
process.on("exit", () => server.kill("SIGKILL"));

await ready(`http://127.0.0.1:${admin}/health`);
await ready(`http://127.0.0.1:${ingress}/restate/health`);
const registered = await fetch(`http://127.0.0.1:${admin}/deployments`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ uri: `http://127.0.0.1:${endpoint}` }),
});
if (!registered.ok) throw new Error(`the workflow is not registered: ${await registered.text()}`);

const client = connect({ url: `http://127.0.0.1:${ingress}` });
const run = `${process.pid}-${Date.now()}`;
await serveRounds(async (steps, serial) => {
  const workflow = client.workflowClient({ name: "work" }, `${run}-${serial}`);
  await workflow.workflowSubmit(steps);
  return workflow.workflowAttach();
});
const gone = once(server, "exit");
server.kill("SIGTERM");
await gone;
process.exit(0);

async function ready(url) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      if ((await fetch(url)).ok) return;
    } catch (error) {
      if (Date.now() > deadline || server.exitCode !== null) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const probe = createServer().listen(0, "127.0.0.1");
      await once(probe, "listening");
      return probe;
    }),
  );
  const ports = servers.map((probe) => probe.address().port);
  await Promise.all(servers.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return ports;
}
