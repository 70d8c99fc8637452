// The programs that are compared, each started the way its users would.
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
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

/** What a core is started with beside its database. */
export interface CoreOptions {
  readonly fill?: (database: string) => Promise<void>;
  readonly env?: Readonly<Record<string, string>>;
}

export async function startCore(ground: Ground, peer: Peer, { fill, env = {} }: CoreOptions = {}): Promise<Core> {
  const folder = await mkdtemp(join(ground.dataFolder, `${peer}-`));
  const database = join(folder, "core.db");
  try {
    await fill?.(database);
    const command = peer === "ours" ? ourCore(`sqlite:${database}`, folder) : originalCore(ground, database);
    const server = await startServer({ ...command, env: { ...command.env, ...env } });
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

/** Our core as its users start it. `dataFolder` keeps its certificate. */
export function ourCore(databaseUrl: string, dataFolder: string, address = "127.0.0.1:0"): Command {
  const program = join(root, "packages", "cli", "bin", "runtara.js");
  const [host = "", port = ""] = address.split(":");
  const env = {
    RUNTARA_DATABASE_URL: databaseUrl,
    DATA_DIR: dataFolder,
    RUNTARA_BIND_HOST: host,
    RUNTARA_QUIC_PORT: port,
    RUNTARA_ADMIN_PORT: "0",
    RUNTARA_LOG_LEVEL: "error",
  };
  return { file: process.execPath, args: [program, "core"], env };
}

function originalCore(ground: Ground, database: string): Command {
  return { file: join(ground.binFolder, "original-core"), args: ["127.0.0.1:0", database] };
}
