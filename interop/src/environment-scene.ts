// SPDX-License-Identifier: AGPL-3.0-or-later
// The original's environment and our core on one PostgreSQL database, in the order in which an installation moves over.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { environment } from "@runtara/protocol";
import { administer, type TestDatabase, testDatabase } from "@runtara/store/testing/postgres";
import { CoreProcess } from "./environment-core.ts";
import { Crun } from "./environment-crun.ts";
import { builtProgram, type EnvironmentSettings, freePort, OriginalEnvironment } from "./environment-server.ts";
import { temporaryFolder } from "./folder.ts";

export const tenantId = "tenant";

/** What the program in the image does in turn; see src/bin/environment-workflow.rs. */
export type Plan = readonly (
  | { readonly steps: number; readonly delayMs?: number }
  | { readonly retry: string }
  | { readonly approval: string }
  | { readonly nap: number }
  | { readonly doze: number }
  | { readonly fail: string }
)[];

export type Status = environment.GetInstanceStatusResponse;

/** By number, in both protocols. */
export const statusWords = ["unknown", "pending", "running", "suspended", "completed", "failed", "cancelled"] as const;
export type StatusWord = (typeof statusWords)[number];
const endings: readonly (StatusWord | undefined)[] = ["completed", "failed", "cancelled"];

export class Scene implements AsyncDisposable {
  readonly database: TestDatabase;
  readonly folder: string;
  /** How long our core bears silence. */
  readonly staleAfterMs = 2_000;
  readonly #crun: Crun;
  readonly #settings: EnvironmentSettings;
  readonly #adminPort: number;
  #environment: OriginalEnvironment | undefined;
  #core: CoreProcess | undefined;
  #imageId = "";

  private constructor(database: TestDatabase, folder: string, ports: readonly [number, number, number]) {
    const [port, corePort, adminPort] = ports;
    this.database = database;
    this.folder = folder;
    this.#crun = new Crun(folder);
    this.#adminPort = adminPort;
    this.#settings = {
      databaseUrl: database.url,
      folder,
      port,
      coreAddress: `127.0.0.1:${corePort}`,
      crunFolder: this.#crun.folder,
    };
  }

  /** The environment alone, with the core inside it, on an empty database. */
  static async begin(): Promise<Scene> {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "data"));
    const scene = new Scene(await testDatabase(), folder, [await freePort(), await freePort(), await freePort()]);
    await scene.startEnvironment();
    const binary = readFileSync(builtProgram("RUNTARA_ENVIRONMENT_WORKFLOW"));
    const registered = await scene.environment.client.registerImage({ tenantId, name: "workflow:1", binary });
    assert.equal(registered.error, "");
    scene.#imageId = registered.imageId;
    return scene;
  }

  get environment(): OriginalEnvironment {
    assert.ok(this.#environment, "the environment runs");
    return this.#environment;
  }

  get core(): CoreProcess {
    assert.ok(this.#core, "our core runs");
    return this.#core;
  }

  get coreAddress(): string {
    return this.#settings.coreAddress;
  }

  async startEnvironment(): Promise<void> {
    this.#environment = await OriginalEnvironment.start(this.#settings);
  }

  /** Its core goes with it. */
  async stopEnvironment(): Promise<void> {
    await this.environment.stop();
    this.#environment = undefined;
  }

  async startCore(): Promise<void> {
    const { databaseUrl, folder, coreAddress } = this.#settings;
    const port = Number(coreAddress.split(":")[1]);
    const { staleAfterMs } = this;
    this.#core = await CoreProcess.start({ databaseUrl, folder, port, adminPort: this.#adminPort, staleAfterMs });
  }

  /** Launches the image; resolves to the new instance's id. */
  async launch(plan: Plan): Promise<string> {
    // Containers are named after the first eight characters.
    const instanceId = `${randomBytes(4).toString("hex")}-${plan.map((item) => Object.keys(item)[0]).join("-")}`;
    const input = Buffer.from(JSON.stringify({ plan }));
    const env = { WORD: "kept" };
    const request = { imageId: this.#imageId, tenantId, instanceId, input, env };
    const started = await this.environment.client.startInstance(request);
    assert.equal(started.error, "");
    return started.instanceId;
  }

  /** Asks the environment until the status is the wanted one; any other end fails at once. */
  async reaches(instanceId: string, wanted: StatusWord): Promise<Status> {
    for (;;) {
      const status = await this.environment.client.getInstanceStatus({ instanceId });
      const word = statusWords[status.status];
      if (word === wanted) return status;
      assert.ok(!endings.includes(word), `${instanceId} is ${word}: ${status.error} ${status.stderr}`);
      await delay(50);
    }
  }

  async signal(instanceId: string, name: "cancel" | "pause"): Promise<void> {
    const { SIGNAL_CANCEL, SIGNAL_PAUSE } = environment.SignalType;
    const signalType = name === "cancel" ? SIGNAL_CANCEL : SIGNAL_PAUSE;
    const sent = await this.environment.client.sendSignal({ instanceId, signalType });
    assert.equal(sent.error, "");
  }

  async resume(instanceId: string): Promise<void> {
    await this.woundUp(instanceId);
    assert.equal((await this.environment.client.resumeInstance({ instanceId })).error, "");
  }

  /** Waits until the environment has cleaned up after the process of before: it goes by name and would kill the next one. */
  async woundUp(instanceId: string): Promise<void> {
    const processes = `SELECT FROM container_registry WHERE instance_id = '${instanceId}'`;
    while ((await administer(this.database.url, processes)).length > 0) await delay(20);
  }

  /** Numbers of the steps whose bodies really ran, in order, those of all processes of the instance. */
  ledger(instanceId: string): number[] {
    const file = join(this.folder, "data", tenantId, "runs", instanceId, "workspace", "ledger");
    return readFileSync(file, "utf8").trim().split("\n").map(Number);
  }

  /** Waits until so many steps are saved. */
  async steps(instanceId: string, count: number): Promise<void> {
    for (;;) {
      const { checkpoints } = await this.environment.client.listCheckpoints({ instanceId });
      if (checkpoints.filter(({ checkpointId }) => checkpointId.startsWith("step-")).length >= count) return;
      await delay(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#environment?.stop();
    await this.#core?.[Symbol.asyncDispose]();
    await this.#crun[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
  }
}

/** 1 to `count`. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
