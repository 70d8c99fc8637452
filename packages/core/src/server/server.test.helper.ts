// A whole core, on the memory store unless another is given, with clients on both of its ports.
import { after, before, describe } from "node:test";
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
import { openMemoryStore } from "@runtara/store/memory";
import { type Engine, engines, memoryEngine } from "../testing/engines.ts";
import { type CoreServer, type StartCoreOptions, startCore } from "./index.ts";

export interface LogEntry {
  readonly level: string;
  readonly details: object;
  readonly message: string;
}

export interface TestServer {
  readonly server: CoreServer;
  readonly store: Store;
  /** On the admin port, and through the instance port. */
  readonly operators: Readonly<Record<"admin" | "instance", ManagementClient>>;
  readonly instances: InstanceClient;
  readonly clients: readonly QuicClient[];
  readonly log: readonly LogEntry[];
}

/** What runs at the end of a test or file. */
export interface Scope {
  after(stop: () => Promise<void>): void;
}

export async function startTestServer(
  scope: Scope,
  options: Partial<StartCoreOptions> = {},
  store: Store = openMemoryStore(),
): Promise<TestServer> {
  const log: LogEntry[] = [];
  const at = (level: string) => (details: object, message: string) => void log.push({ level, details, message });
  const logger: Logger = { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
  const anywhere = "127.0.0.1:0";
  const server = await startCore({ store, bindAddr: anywhere, adminAddr: anywhere, logger, ...options });
  const once = { retry: { triesMax: 1 } };
  const instance = QuicClient.localhost({ serverAddr: server.address, ...once });
  const admin = QuicClient.localhost({ serverAddr: server.adminAddress ?? server.address, ...once });
  const stop = async () => {
    await instance.close();
    await admin.close();
    await server.close();
    await store.close();
  };
  scope.after(stop);
  return {
    server,
    store,
    operators: { admin: managementClient(admin), instance: managementClient(managementThrough("instance", instance)) },
    instances: instanceClient(instance),
    clients: [instance, admin],
    log,
  };
}

/** Declares `body`'s tests once for each engine, with one server for all of them. */
export function onEachServer(body: (server: TestServer) => void): void {
  for (const engine of engines) void describe(engine.name, () => body(useServer(engine)));
}

/** One for all tests of a file or group. */
export function useServer(engine: Engine = memoryEngine): TestServer {
  let running: TestServer | undefined;
  const stops: (() => Promise<void>)[] = [];
  before(async () => {
    const database = await engine.create();
    stops.push(() => database.dispose());
    const scope: Scope = { after: (stop) => void stops.push(stop) };
    running = await startTestServer(scope, {}, await database.open());
  });
  after(async () => {
    for (const stop of stops.toReversed()) await stop();
  });
  return new Proxy({} as TestServer, {
    get: (_, name) => running?.[name as keyof TestServer],
  });
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString();
}
