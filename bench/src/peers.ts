// The programs that are compared, each started the way its users would.
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Command, runProgram, type Server, startServer } from "./child.ts";

const root = join(import.meta.dirname, "..", "..");

/** Who is measured: ours, or the original that the Rust crates are. */
export type Peer = "ours" | "original";
export const peers: readonly Peer[] = ["ours", "original"];

/** Where the Rust programs are and where databases may be written. */
export interface Ground {
  readonly binFolder: string;
  readonly dataFolder: string;
}

/** Builds the Rust peers (a first time takes minutes) and tells their folder. */
export async function buildPeers(): Promise<string> {
  return (await runProgram(process.execPath, [join(root, "scripts", "build-peers.ts")])).trim();
}

export function startEcho(ground: Ground, peer: Peer): Promise<Server> {
  const command: Record<Peer, Command> = {
    ours: { file: process.execPath, args: [join(root, "bench", "echo-server.ts"), "127.0.0.1:0"] },
    original: { file: join(ground.binFolder, "original-echo"), args: ["127.0.0.1:0"] },
  };
  return startServer(command[peer]);
}

/** A server that takes uploads and throws their bytes away. */
export function startUpload(ground: Ground, peer: Peer): Promise<Server> {
  const command: Record<Peer, Command> = {
    ours: { file: process.execPath, args: [join(import.meta.dirname, "node", "upload-server.ts"), "127.0.0.1:0"] },
    original: { file: join(ground.binFolder, "upload"), args: ["serve", "127.0.0.1:0"] },
  };
  return startServer(command[peer]);
}

/** Our echo server's twin on gRPC in JavaScript. */
export function startGrpcEcho(): Promise<Server> {
  const program = join(import.meta.dirname, "node", "grpc-server.ts");
  return startServer({ file: process.execPath, args: [program, "127.0.0.1:0"] });
}

/** A core on a database of its own, which is deleted with it. `database` is for whoever fills it beforehand. */
export interface Core extends Server {
  readonly database: string;
}

export async function startCore(ground: Ground, peer: Peer, fill?: (database: string) => Promise<void>): Promise<Core> {
  const folder = await mkdtemp(join(ground.dataFolder, `${peer}-`));
  const database = join(folder, "core.db");
  try {
    await fill?.(database);
    const server = await startServer(coreCommand(ground, peer, database));
    const dispose = async (): Promise<void> => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    };
    return { ...server, database, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}

function coreCommand(ground: Ground, peer: Peer, database: string): Command {
  if (peer === "original") return { file: join(ground.binFolder, "original-core"), args: ["127.0.0.1:0", database] };
  const program = join(root, "packages", "cli", "bin", "runtara.js");
  const env = {
    RUNTARA_DATABASE_URL: `sqlite:${database}`,
    DATA_DIR: dirname(database),
    RUNTARA_BIND_HOST: "127.0.0.1",
    RUNTARA_QUIC_PORT: "0",
    RUNTARA_LOG_LEVEL: "warn",
  };
  return { file: process.execPath, args: [program, "core"], env };
}
