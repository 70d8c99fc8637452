// Runs a PostgreSQL cluster for as long as somebody is connected to the control socket: `node postgres-keeper.ts SOCKET LINGER_MS OPTIONS`.
// A test process that ends, however it ends, closes its connection, so no server outlives the tests.
import { rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { type ClusterOptions, PostgresCluster, type StopMode } from "./postgres-cluster.ts";

const [, , path = "", linger = "0", options = "{}"] = process.argv;
const users = new Set<Socket>();
let commands: Promise<unknown> = Promise.resolve();
let cluster: PostgresCluster | undefined;

const server = createServer((socket) => {
  users.add(socket);
  socket.on("error", () => undefined);
  socket.on("close", () => {
    users.delete(socket);
    leaveIfAlone(Number(linger));
  });
  void commands.then(
    () => socket.write(`${JSON.stringify({ folder: cluster?.folder })}\n`),
    (error) => socket.end(`${JSON.stringify({ error: String(error) })}\n`),
  );
  createInterface({ input: socket }).on("line", (line) => {
    commands = commands
      .then(() => obey(line))
      .then(
        () => socket.write("{}\n"),
        (error) => socket.write(`${JSON.stringify({ error: String(error) })}\n`),
      );
  });
});

async function obey(line: string): Promise<void> {
  const { stop, start } = JSON.parse(line) as { stop?: StopMode; start?: boolean };
  if (stop !== undefined) await cluster?.stop(stop);
  if (start) await cluster?.start();
}

function leaveIfAlone(afterMs: number): void {
  setTimeout(() => {
    if (users.size === 0) void leave();
  }, afterMs);
}

let leaving: Promise<void> | undefined;
function leave(): Promise<void> {
  leaving ??= (async () => {
    // Takes the socket away first: whoever comes now starts a keeper of their own.
    server.close();
    await commands.catch(() => undefined);
    await cluster?.stop("immediate");
    cluster?.remove();
    process.exit(0);
  })();
  return leaving;
}

async function startCluster(): Promise<void> {
  cluster = new PostgresCluster(JSON.parse(options) as ClusterOptions);
  await cluster.create();
  await cluster.start();
}

// Only whoever has got the socket needs a cluster.
server.on("listening", () => {
  commands = startCluster();
  commands.catch(() => undefined);
});
server.on("error", () => {
  // Another keeper has the socket, or a dead one has left it behind.
  const probe = createConnection(path);
  probe.on("connect", () => void leave());
  probe.on("error", () => {
    rmSync(path, { force: true });
    server.listen(path);
  });
});
server.listen(path);
// The one who started this one may have died meanwhile.
leaveIfAlone(Math.max(Number(linger), 10_000));
