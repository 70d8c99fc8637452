/**
 * A core in a process of its own, for tests that kill it and to point a load program at:
 *
 *     node --conditions=runtara-src packages/core/src/testing/core-process.ts DATABASE [BIND_ADDR]
 *
 * DATABASE is a URL or the path of an SQLite file. Takes the variables of a core but for address and database; without DATA_DIR it makes a certificate for this run. Prints
 * the ready line; SIGTERM ends it.
 */
import { coreConfigFromEnv, startCore } from "@runtara/core/server";
import { announceReady, onShutdownSignal } from "@runtara/server-kit";

const [databaseUrl = "", bindAddr = "127.0.0.1:0"] = process.argv.slice(2);
const { tls, transport } = coreConfigFromEnv(process.env);
const identity = process.env.DATA_DIR === undefined ? {} : { tls };
const server = await startCore({ databaseUrl, bindAddr, transport, ...identity });
announceReady("core", server.address);
onShutdownSignal(() => server.close());
