import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type Core, type CoreOptions, createCore } from "@runtara/core";
import type { Logger, Runtime } from "../api/runtime.ts";
import { assemble } from "../runtime/assemble.ts";
import { consoleLogger } from "../runtime/console-logger.ts";
import { closeOnSignals } from "../runtime/process-signals.ts";
import { checkedId, type Environment, runtimeSettings } from "../runtime/settings.ts";
import { createSealer } from "../values/sealer.ts";
import { type Database, openDatabase } from "./database.ts";
import { ThreadKeeper } from "./lease-keeper.ts";
import { LocalOperator } from "./local-operator.ts";
import { LocalSource, type LocalSourceOptions } from "./local-source.ts";
import type { OpenOptions } from "./options.ts";
import { warnOfUnknownWorkflows } from "./unknown-workflows.ts";

/** Nobody waits for quiet here. */
const activity = { begin: () => () => {} };

/**
 * Opens an embedded runtime: workflows run in this process, and what they have done is kept in a SQLite file, a PostgreSQL, or a store in memory.
 * No server is needed. Any number of processes may open the same database, one machine's for SQLite: what a process that died has left
 * unfinished is taken over by another within the `lease`.
 *
 * The listed workflows' instances, new and unfinished, are run from now on; `start` adds the workflow it is given. The runtime keeps the process
 * alive until `close`, which `await using` calls.
 *
 * @throws ConfigError for an option, a variable or a database that can't be used, naming it; ConnectionError when the database can't be
 *   reached, or is locked by another process for too long. Nothing is left open then
 */
export async function open(options: OpenOptions = {}): Promise<Runtime> {
  return openIn(options, process.env);
}

/** `open` with the environment that its defaults come from. */
export async function openIn(options: OpenOptions, env: Environment): Promise<Runtime> {
  const { logger = consoleLogger, workflows = [] } = options;
  const { tenantId, settings } = runtimeSettings(options, env);
  const workerId = checkedId(
    "workerId",
    options.workerId ?? `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`,
  );
  const sealer = createSealer(options.codecs);
  const database = await openDatabase(options.store, env);
  const { store } = database;
  const core = createCore(coreOptions(database, options, logger));
  const keeper = keeperOf(database, options, logger);
  const source = new LocalSource({ core, store, workerId, tenantId, leaseMs: settings.leaseMs, keeper });
  const operator = new LocalOperator({ core, store, tenantId });
  const closeBelow = (): Promise<void> => release(operator, core, database);
  const parts = { source, operator, clock: source.clock, sealer, logger, activity, settings };
  try {
    const ends: (() => void)[] = [];
    const { runtime, served } = assemble({
      parts,
      workflows,
      release: async () => {
        for (const end of ends) end();
        await closeBelow();
      },
    });
    core.start();
    // An empty list says that nothing is to be run here.
    if (options.workflows?.length !== 0) {
      ends.push(warnOfUnknownWorkflows({ operator, logger, clock: core.clock, served: () => served }));
    }
    if (options.handleSignals === true) ends.push(closeOnSignals(() => runtime.close()));
    return runtime;
  } catch (error) {
    await closeBelow();
    throw error;
  }
}

function coreOptions({ store }: Database, { clock }: OpenOptions, logger: Logger): CoreOptions {
  return {
    store,
    ...(clock === undefined ? {} : { clock }),
    onTrouble: (task, error) => logger.warn({ task, error: error.message }, "the store has failed a task; it goes on"),
  };
}

/** Not for a store that was open already, which may be anything, nor beside a clock that may be none of the machine's. */
function keeperOf({ url }: Database, { clock }: OpenOptions, logger: Logger): LocalSourceOptions["keeper"] {
  if (url === undefined || clock !== undefined) return undefined;
  const onStoodIn = (renewals: number): void => {
    const message =
      "the event loop was busy for long; another thread has kept the lease. Move long computations out of it";
    logger.warn({ renewals }, message);
  };
  const onFailed = (error: unknown): void => {
    logger.warn(
      { error },
      "no thread keeps the lease while the event loop is busy; one that is busy for longer loses its work",
    );
  };
  return (workerId, leaseMs) => {
    try {
      return new ThreadKeeper({ url, workerId, leaseMs, onStoodIn, onFailed });
    } catch (error) {
      onFailed(error);
      return undefined;
    }
  };
}

async function release(operator: LocalOperator, core: Core, database: Database): Promise<void> {
  operator.close();
  await core.close();
  await database.close();
}
