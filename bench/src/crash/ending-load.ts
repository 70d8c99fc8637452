import { setTimeout as wait } from "node:timers/promises";
import { create, instance, type QuicClient, sendRequest } from "@runtara/protocol";
import { crashClient, register } from "./client.ts";

const lanes = 8;
const checkpointsEach = 4;
const stateBytes = 256;
const pauseAfterErrorMs = 10;

/** Instances that begin, save a few checkpoints and are completed, one after the other in each lane, until it is stopped. */
export class EndingLoad {
  readonly #client: QuicClient;
  readonly #prefix: string;
  readonly #lanes: Promise<void>[] = [];
  #begun = 0;
  #ended = 0;
  #isStopped = false;

  constructor(serverAddr: string, prefix: string) {
    this.#client = crashClient(serverAddr);
    this.#prefix = prefix;
  }

  /** Instances whose end was acknowledged. */
  get ended(): number {
    return this.#ended;
  }

  start(): void {
    for (let lane = 0; lane < lanes; lane++) this.#lanes.push(this.#run());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#lanes);
    await this.#client.close();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#one(`${this.#prefix}-${this.#begun++}`);
        this.#ended++;
      } catch {
        // The core is down; the instance is left as it is, and the next one begun.
        await wait(pauseAfterErrorMs);
      }
    }
  }

  async #one(instanceId: string): Promise<void> {
    await register(this.#client, instanceId);
    for (let number = 0; number < checkpointsEach; number++) {
      const message = { instanceId, checkpointId: `${number}`, state: new Uint8Array(stateBytes) };
      await sendRequest(this.#client, create(instance.CheckpointRequestSchema, message));
    }
    const event = {
      instanceId,
      eventType: instance.InstanceEventType.EVENT_COMPLETED,
      timestampMs: BigInt(Date.now()),
    };
    const { success, error } = await sendRequest(this.#client, create(instance.InstanceEventSchema, event));
    if (!success) throw new Error(`${instanceId} could not end: ${error}`);
  }
}
