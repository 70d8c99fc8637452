import { describe, type TestContext } from "node:test";
import {
  type InstanceClient,
  instanceClient,
  type ManagementClient,
  managementClient,
  managementThrough,
  QuicClient,
} from "@runtara/protocol";
import type { Logger } from "@runtara/server-kit";
import type { Store } from "@runtara/store";
import { engines } from "../../testing/engines.ts";
import { type CoreServer, type StartCoreOptions, startCore } from "../index.ts";

export interface LogEntry {
  readonly level: string;
  readonly details: object;
  readonly message: string;
}

/** A core on one database, others on the same one, and connections to them. All of it ends with the test. */
export interface Wire {
  /** A connection of its own; to the first core unless another is named. */
  connect(server?: CoreServer): InstanceClient;
  readonly operator: ManagementClient;
  /** Another core on another opening of the database, as of another process. */
  startOther(): Promise<CoreServer>;
  readonly server: CoreServer;
  readonly store: Store;
  readonly log: readonly LogEntry[];
}

type OpenWire = (t: TestContext, options?: Partial<StartCoreOptions>) => Promise<Wire>;

/** Declares `body`'s tests once for each engine. */
export function onEachEngine(body: (open: OpenWire) => void): void {
  for (const engine of engines) {
    void describe(engine.name, () =>
      body(async (t, options = {}) => {
        const database = await engine.create();
        const stops: (() => Promise<unknown>)[] = [() => database.dispose()];
        t.after(async () => {
          for (const stop of stops.toReversed()) await stop();
        });
        return openWire(() => database.open(), stops, options);
      }),
    );
  }
}

async function openWire(
  openStore: () => Promise<Store>,
  stops: (() => Promise<unknown>)[],
  options: Partial<StartCoreOptions>,
): Promise<Wire> {
  const log: LogEntry[] = [];
  const at = (level: string) => (details: object, message: string) => void log.push({ level, details, message });
  const logger: Logger = { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
  const start = async () => {
    const store = await openStore();
    stops.push(() => store.close());
    const server = await startCore({ store, bindAddr: "127.0.0.1:0", logger, ...options });
    stops.push(() => server.close());
    return { server, store };
  };
  const first = await start();
  const dial = (server: CoreServer) => {
    const client = QuicClient.localhost({ serverAddr: server.address, retry: { triesMax: 1 } });
    stops.push(() => client.close());
    return client;
  };
  return {
    ...first,
    log,
    connect: (server = first.server) => instanceClient(dial(server)),
    operator: managementClient(managementThrough("instance", dial(first.server))),
    startOther: async () => (await start()).server,
  };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString();
}

export const full = { tenantId: "t", wantsStartFacts: true } as const;
