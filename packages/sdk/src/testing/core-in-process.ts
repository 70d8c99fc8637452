import { join } from "node:path";
import { type Core, createCore, createManagement, type OperatorControl } from "@runtara/core";
import { type CoreServer, startCore } from "@runtara/core/server";
import { instance, QuicClient, request } from "@runtara/protocol";
import { openStore, type Store } from "@runtara/store";
import type { RunInstanceOptions } from "../worker/settings.ts";
import { temporaryFolder } from "./processes.ts";

/** A real core in this process, and what an operator may do beside the wire, to send signals as an environment would. */
export class TestCore {
  readonly server: CoreServer;
  readonly store: Store;
  readonly #path: string;
  readonly #core: Core;
  readonly #control: OperatorControl;

  private constructor(path: string, store: Store, server: CoreServer) {
    this.#path = path;
    this.store = store;
    this.server = server;
    this.#core = createCore({ store });
    const { work } = this.#core;
    this.#control = createManagement({ store, start: (request, answer) => work.start(request, answer) }).control;
  }

  /** Started, and closed after the test. */
  static async start(t: { after(cleanUp: () => void | Promise<void>): void }): Promise<TestCore> {
    const path = join(temporaryFolder(t), "core.db");
    const store = await openStore(`sqlite:${path}`);
    const server = await startCore({ store, bindAddr: "127.0.0.1:0" });
    const core = new TestCore(path, store, server);
    t.after(async () => {
      await server.close({ drainMs: 0 });
      await core.#core.close();
      await store.close();
    });
    return core;
  }

  get address(): string {
    return this.server.address;
  }

  get path(): string {
    return this.#path;
  }

  options(instanceId: string, more: Partial<RunInstanceOptions> = {}): RunInstanceOptions {
    return { server: this.address, dangerouslySkipVerification: true, instanceId, signalPollIntervalMs: 20, ...more };
  }

  signal(instanceId: string, signal: "cancel" | "pause"): Promise<void> {
    return this.#control.sendSignal({ instanceId, signal, payload: new Uint8Array(0) });
  }

  sendCustom(instanceId: string, name: string, payload: Uint8Array, queued = false): Promise<void> {
    return this.#control.sendNamedSignal({ instanceId, name, payload, queued });
  }

  /** Calls as another process would make them. */
  async call<T>(calls: (client: QuicClient) => Promise<T>): Promise<T> {
    await using client = QuicClient.localhost({ serverAddr: this.address });
    return await calls(client);
  }

  status(instanceId: string): Promise<instance.GetInstanceStatusResponse> {
    return this.call((client) => request(client, instance.GetInstanceStatusRequestSchema, { instanceId }));
  }

  async checkpoint(instanceId: string, checkpointId: string): Promise<string | undefined> {
    const answer = await this.call((client) =>
      request(client, instance.GetCheckpointRequestSchema, { instanceId, checkpointId }),
    );
    return answer.found ? new TextDecoder().decode(answer.state) : undefined;
  }

  async save(instanceId: string, checkpointId: string, state: string): Promise<void> {
    await this.call((client) =>
      request(client, instance.CheckpointRequestSchema, {
        instanceId,
        checkpointId,
        state: new TextEncoder().encode(state),
      }),
    );
  }
}
