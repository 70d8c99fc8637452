import { setTimeout as wait } from "node:timers/promises";
import { create, instance, QuicClient, sendRequest } from "@runtara/protocol";
import { crashClient, register } from "./client.ts";
import type { Ledger } from "./ledger.ts";

const pauseAfterErrorMs = 10;
const readTriesMax = 50;

/** Full load by one client, going on through every failure, until it is stopped. */
export class CrashLoad {
  readonly #ledger: Ledger;
  readonly #client: QuicClient;
  readonly #lanes: Promise<void>[] = [];
  readonly #errors = new Map<string, number>();
  #turn = 0;
  #heard: (() => void) | undefined;
  #isStopped = false;

  constructor(serverAddr: string, ledger: Ledger) {
    this.#ledger = ledger;
    this.#client = crashClient(serverAddr);
  }

  /** Texts of the failures that callers saw, and how often. */
  get errors(): ReadonlyMap<string, number> {
    return this.#errors;
  }

  async start(): Promise<void> {
    for (let lane = 0; lane < this.#ledger.lanes; lane++) {
      await register(this.#client, this.#ledger.instanceId(lane));
    }
    for (let lane = 0; lane < this.#ledger.lanes; lane++) this.#lanes.push(this.#save(lane));
  }

  /** Resolves with the next acknowledgement of a call that has not been sent yet. */
  nextAcknowledged(): Promise<void> {
    this.#turn++;
    return new Promise((resolve) => {
      this.#heard = resolve;
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#lanes);
    await this.#client.close();
  }

  async #save(lane: number): Promise<void> {
    const ledger = this.#ledger;
    const instanceId = ledger.instanceId(lane);
    while (!this.#isStopped) {
      const number = ledger.next(lane);
      const turn = this.#turn;
      const message = { instanceId, checkpointId: `${number}`, state: ledger.state(lane, number) };
      try {
        const answer = await sendRequest(this.#client, create(instance.CheckpointRequestSchema, message));
        ledger.answered(lane, number, answer.found ? answer.state : undefined);
        if (turn === this.#turn) this.#heard?.();
      } catch (error) {
        const text = error instanceof Error ? error.message.replace(/\d+/g, "N") : String(error);
        this.#errors.set(text, (this.#errors.get(text) ?? 0) + 1);
        await wait(pauseAfterErrorMs);
      }
    }
  }
}

/** Reads checkpoints back for the ledger, through a client that repeats. */
export async function withReader<R>(
  serverAddr: string,
  ledger: Ledger,
  act: (read: (lane: number, number: number) => Promise<Uint8Array | undefined>) => Promise<R>,
): Promise<R> {
  const retry = { triesMax: readTriesMax };
  const client = new QuicClient({ serverAddr, dangerouslySkipVerification: true, retry });
  try {
    return await act(async (lane, number) => {
      const message = { instanceId: ledger.instanceId(lane), checkpointId: `${number}` };
      const { found, state } = await sendRequest(client, create(instance.GetCheckpointRequestSchema, message));
      return found ? state : undefined;
    });
  } finally {
    await client.close();
  }
}
