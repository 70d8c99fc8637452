// SPDX-License-Identifier: AGPL-3.0-or-later
// The original's environment server as a child process, and a client for it.
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type EnvironmentClient, environmentClient, QuicClient } from "@runtara/protocol";

const readyDeadlineMs = 30_000;

/** What stays the same when it is started again. */
export interface EnvironmentSettings {
  /** For the database of images and instances, the core's too. */
  readonly databaseUrl: string;
  /** Where it keeps images and runs; its log stands beside them. */
  readonly folder: string;
  readonly port: number;
  /** The core that its workflows are told of; it tries to run one of its own there. */
  readonly coreAddress: string;
  /** A folder with a `crun`. */
  readonly crunFolder: string;
}

export class OriginalEnvironment implements AsyncDisposable {
  readonly client: EnvironmentClient;
  readonly #quic: QuicClient;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, quic: QuicClient) {
    this.#child = child;
    this.#quic = quic;
    this.client = environmentClient(quic);
  }

  /** Resolves once it answers; rejects when it ends first or takes over 30 s. */
  static async start(settings: EnvironmentSettings): Promise<OriginalEnvironment> {
    const log = join(settings.folder, "environment.log");
    const child = startProgram(settings, log);
    const quic = QuicClient.localhost({ serverAddr: `127.0.0.1:${settings.port}`, connectTimeoutMs: 500 });
    const started = new OriginalEnvironment(child, quic);
    for (const deadline = Date.now() + readyDeadlineMs; Date.now() < deadline && child.exitCode === null; ) {
      const health = await started.client.healthCheck({}).catch(() => undefined);
      if (health?.healthy) return started;
      await delay(20);
    }
    child.kill("SIGKILL");
    throw new Error(`the environment did not become ready:\n${readFileSync(log, "utf8")}`);
  }

  /** As an operator does it: Ctrl-C. Resolves when it is gone. */
  async stop(): Promise<void> {
    await this.#quic.close();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGINT");
    await exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function startProgram(settings: EnvironmentSettings, log: string): ChildProcess {
  const output = openSync(log, "a");
  // It ends with this process, whatever happens to it.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", builtProgram("RUNTARA_ENVIRONMENT_BIN")], {
    stdio: ["ignore", output, output],
    // It looks for a .env file in the folder that it is started in.
    cwd: settings.folder,
    env: {
      PATH: `${settings.crunFolder}:${process.env.PATH}`,
      DATA_DIR: join(settings.folder, "data"),
      RUNTARA_DATABASE_URL: settings.databaseUrl,
      RUNTARA_DB_POOL_SIZE: "10",
      RUNTARA_ENV_QUIC_PORT: String(settings.port),
      RUNTARA_CORE_ADDR: settings.coreAddress,
      RUNTARA_NETWORK_MODE: "host",
      RUNTARA_SKIP_CERT_VERIFICATION: "true",
    },
  });
  closeSync(output);
  return child;
}

/** The path in a variable that scripts/test-environment.ts sets. */
export function builtProgram(variable: "RUNTARA_ENVIRONMENT_BIN" | "RUNTARA_ENVIRONMENT_WORKFLOW"): string {
  const path = process.env[variable];
  if (path === undefined) throw new Error(`${variable} is not set: start the test with \`npm run test:environment\``);
  return path;
}

/** A UDP port that is free at the moment: these servers can't say which one they took. */
export async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
