// SPDX-License-Identifier: AGPL-3.0-or-later
// Our core as its users start it: `runtara core`, a process that may be killed and started again.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type ManagementClient, managementClient, QuicClient } from "@runtara/protocol";

const command = join(import.meta.dirname, "../../packages/cli/bin/runtara.js");

export interface CoreSettings {
  readonly databaseUrl: string;
  readonly folder: string;
  readonly port: number;
  readonly adminPort: number;
  readonly staleAfterMs: number;
}

export class CoreProcess implements AsyncDisposable {
  readonly management: ManagementClient;
  readonly #settings: CoreSettings;
  readonly #quic: QuicClient;
  #child: ChildProcess;

  private constructor(settings: CoreSettings, child: ChildProcess) {
    this.#settings = settings;
    this.#child = child;
    this.#quic = QuicClient.localhost({ serverAddr: `127.0.0.1:${settings.adminPort}` });
    this.management = managementClient(this.#quic);
  }

  static async start(settings: CoreSettings): Promise<CoreProcess> {
    return new CoreProcess(settings, await startCommand(settings));
  }

  /** Ends it, and starts a new process on the same port and database. */
  async startAgain(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill(signal);
    await exited;
    this.#child = await startCommand(this.#settings);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#quic.close();
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }
}

/** Resolves once it says that it listens; rejects when it ends first. */
async function startCommand(settings: CoreSettings): Promise<ChildProcess> {
  const { databaseUrl, folder, port, adminPort, staleAfterMs } = settings;
  const ports = ["--port", String(port), "--admin-port", String(adminPort)];
  const places = ["--database-url", databaseUrl, "--data-dir", join(folder, "core")];
  const program = [process.execPath, command, "core", ...ports, ...places];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...program], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: folder,
    env: { PATH: process.env.PATH, RUNTARA_LOG_LEVEL: "warn", RUNTARA_STALE_AFTER_MS: String(staleAfterMs) },
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === `ready core 127.0.0.1:${port}`) return child;
  }
  throw new Error(`the core ended with exit code ${child.exitCode}`);
}
