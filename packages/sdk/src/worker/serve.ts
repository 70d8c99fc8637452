import type { Logger, Runtime } from "../api/runtime.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { ConnectionError, UnsupportedError } from "../errors.ts";
import { limits } from "../limits.ts";
import { SourceError } from "../ports/source-error.ts";
import { assemble } from "../runtime/assemble.ts";
import { consoleLogger } from "../runtime/console-logger.ts";
import { closeOnSignals } from "../runtime/process-signals.ts";
import { runtimeSettings } from "../runtime/settings.ts";
import { createSealer } from "../values/sealer.ts";
import { Link, type LinkEvent } from "./link.ts";
import { neededFeatures } from "./remote/begin-extended.ts";
import { RemoteCalls } from "./remote/remote-calls.ts";
import { RemoteOperator } from "./remote/remote-operator.ts";
import { RemoteSource } from "./remote/remote-source.ts";
import { type ServeOptions, serveSettings } from "./serve-options.ts";

const nothingToTell = { begin: () => () => {} };

/**
 * Makes this process a worker of a core: it runs instances of `workflows`, many at once, that the core's queue has for it, and goes on with
 * those whose worker has died. Resolves when the core has answered; from then on lost connections are replaced for as long as it takes. The
 * runtime is a client of the same core, too. Schedules are fired by the core. SIGTERM and SIGINT close it, unless `handleSignals` is false.
 *
 * @throws ConfigError; ConnectionError when no core answers within the connect time-out; UnsupportedError naming what the core lacks
 */
export async function serve(workflows: readonly AnyWorkflow[], options: ServeOptions = {}): Promise<Runtime> {
  const { tenantId, settings } = runtimeSettings(options);
  const { link: linkSettings, workerId } = serveSettings(options, process.env);
  const logger = options.logger ?? consoleLogger;
  const sealer = createSealer(options.codecs);
  const link = new Link(linkSettings, linkLog(logger));
  try {
    await link.connect();
    const graceMs = linkSettings.requestTimeoutMs || limits.requestTimeoutMsDefault;
    const calls = new RemoteCalls(link, graceMs);
    const { leaseMs } = settings;
    const source = new RemoteSource({ calls, workerId, tenantId, leaseMs, token: options.token, pollGraceMs: graceMs });
    await source.prepare(neededFeatures);
    const operator = new RemoteOperator(calls, tenantId, graceMs);
    const { clock } = source;
    const parts = { source, operator, clock, sealer, logger, activity: nothingToTell, settings };
    let stopListening = (): void => {};
    const { runtime } = assemble({ parts, workflows, release: async () => stopListening() });
    if (options.handleSignals ?? true) stopListening = closeOnSignals(() => runtime.close());
    return runtime;
  } catch (error) {
    await link.close();
    throw error instanceof SourceError ? startError(error, linkSettings.servers) : error;
  }
}

/** What happens to the connection, a line when it is lost and one when it is back. */
function linkLog(logger: Logger): (event: LinkEvent) => void {
  return (event) => {
    if (event.type === "warning") logger.warn({}, event.message);
    if (event.type === "reconnected") logger.info({ afterMs: event.afterMs }, "the core is back");
    if (event.type === "reconnecting" && event.attempt === 1) {
      logger.warn({ error: event.error.message }, "the connection to the core is lost; it is being looked for");
    }
  };
}

function startError(error: SourceError, servers: readonly string[]): Error {
  const where = servers.join(" or ");
  if (error.code !== "UNSUPPORTED") {
    return new ConnectionError(`the core at ${where} does not take this worker: ${error.message}`, { cause: error });
  }
  return new UnsupportedError(`${error.message} (asked: ${where})`, error.feature ?? "", { cause: error });
}
