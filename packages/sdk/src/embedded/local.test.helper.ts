import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Core, createCore } from "@runtara/core";
import { openStore, type Store } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import type { ClaimedWork } from "../ports/source.ts";
import { LocalOperator } from "./local-operator.ts";
import { LocalSource } from "./local-source.ts";

export type Engine = "memory" | "sqlite";
export const engines: readonly Engine[] = ["memory", "sqlite"];

export const text = (bytes: Uint8Array | null | undefined): string | undefined =>
  bytes ? new TextDecoder().decode(bytes) : undefined;
export const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

export interface Cleaning {
  after(cleanUp: () => void | Promise<void>): void;
}

/** The clean-ups of a test in the reverse of their order: what was made last goes first. */
export function lastFirst(t: Cleaning): Cleaning {
  const cleanUps: (() => void | Promise<void>)[] = [];
  t.after(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });
  return { after: (cleanUp) => void cleanUps.push(cleanUp) };
}

/** A folder that is gone after the test. */
export function folder(t: Cleaning): string {
  const path = mkdtempSync(join(tmpdir(), "runtara-embedded-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A store that is closed after the test. */
export async function storeOf(t: Cleaning, engine: Engine): Promise<Store> {
  const store = engine === "memory" ? openMemoryStore() : await openStore(`sqlite:${join(folder(t), "work.db")}`);
  t.after(() => store.close());
  return store;
}

/** Source and operator of one worker on a store with core's services. */
export class LocalWorker {
  readonly core: Core;
  readonly source: LocalSource;
  readonly operator: LocalOperator;
  #received = 0;

  constructor(t: Cleaning, store: Store, workerId = "worker", leaseMs = 5_000) {
    this.core = createCore({ store });
    this.core.start();
    this.source = new LocalSource({ core: this.core, store, workerId, tenantId: "t", leaseMs });
    this.operator = new LocalOperator({ core: this.core, store, tenantId: "t" });
    t.after(async () => {
      await this.source.close();
      this.operator.close();
      await this.core.close();
    });
  }

  async start(
    instanceId: string,
    workflow = "w",
    more: { input?: Uint8Array; timeoutMs?: number } = {},
  ): Promise<void> {
    await this.operator.start({ instanceId, workflow, tags: {}, ...more });
  }

  /** What the next claim gives. */
  async claim(capacity = 10, waitMs = 30_000): Promise<readonly ClaimedWork[]> {
    const offers = [{ name: "w", versions: [] }];
    const { answer } = this.source.claim({ offers, capacity, received: this.#received, waitMs });
    const { sequence, work } = await answer;
    this.#received = sequence;
    return work;
  }

  async claimOne(): Promise<ClaimedWork> {
    const [work] = await this.claim(1);
    if (work === undefined) throw new Error("the claim gave nothing");
    return work;
  }
}
