import { describe, type TestContext } from "node:test";
import { type InstanceClient, instanceClient, type ManagementClient, QuicClient } from "@runtara/protocol";
import type { Store } from "@runtara/store";
import { engines } from "../../testing/engines.ts";
import type { CoreServer, StartCoreOptions } from "../index.ts";
import { type LogEntry, type Scope, startTestServer } from "../server.test.helper.ts";

export { bytes, text } from "../server.test.helper.ts";

/** A core on one database, others on the same one, and connections to them. All of it ends with the test. */
export interface Wire {
  /** A connection of its own; to the first core unless another is named. */
  connect(server?: CoreServer): InstanceClient;
  readonly operator: ManagementClient;
  /** Another core on another opening of the database, as of another process. */
  startOther(): Promise<CoreServer>;
  readonly server: CoreServer;
  readonly store: Store;
  /** Of the first core. */
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
        return openWire(() => database.open(), { after: (stop) => void stops.push(stop) }, options);
      }),
    );
  }
}

async function openWire(
  openStore: () => Promise<Store>,
  scope: Scope,
  options: Partial<StartCoreOptions>,
): Promise<Wire> {
  const start = async () => startTestServer(scope, options, await openStore());
  const { server, store, log, operators } = await start();
  return {
    server,
    store,
    log,
    connect({ address } = server) {
      const client = QuicClient.localhost({ serverAddr: address, retry: { triesMax: 1 } });
      scope.after(() => client.close());
      return instanceClient(client);
    },
    operator: operators.instance,
    startOther: async () => (await start()).server,
  };
}

export const full = { tenantId: "t", wantsStartFacts: true } as const;
