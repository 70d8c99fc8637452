import type { Client } from "../api/client.ts";
import type { Runtime } from "../api/runtime.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { createClient } from "../client/client.ts";
import type { Duration } from "../durations.ts";
import { ConnectionError } from "../errors.ts";
import { definitionOf } from "../workflow.ts";
import { createRunner } from "./runner.ts";
import type { Runner, RuntimeParts } from "./runtime.ts";
import { settingMs } from "./settings.ts";

export interface Assembled {
  readonly runtime: Runtime;
  readonly runner: Runner;
  /** Names of the workflows that it runs by now. */
  readonly served: ReadonlySet<string>;
}

export interface Assembly {
  readonly parts: RuntimeParts;
  readonly workflows: readonly AnyWorkflow[];
  /** Lets go of what is below the runner; called once, after the runner has drained. */
  readonly release: () => Promise<void>;
}

/** Runner and client over one source of work. @throws ConfigError for workflows that can't be served together */
export function assemble({ parts, workflows, release }: Assembly): Assembled {
  const { operator, sealer, source, settings } = parts;
  const runner = createRunner(parts);
  let closing: Promise<void> | undefined;
  const served = new Set<string>();
  const serve = (added: readonly AnyWorkflow[]): void => {
    const definitions = added.map(definitionOf);
    runner.serve(definitions);
    for (const { name } of definitions) served.add(name);
  };
  serve(workflows);
  const client: Client = createClient({
    operator,
    sealer,
    tenantId: source.tenantId,
    clock: source.clock,
    onStart: (workflow) => {
      if (closing !== undefined)
        throw new ConnectionError("the runtime has been closed: open another to start workflows");
      serve([workflow]);
    },
  });
  const close = ({ drain }: { drain?: Duration } = {}): Promise<void> => {
    closing ??= end(settingMs("drain", drain, settings.drainMs));
    return closing;
  };
  const end = async (drainMs: number): Promise<void> => {
    try {
      await runner.close(drainMs);
    } finally {
      await source.close();
      await release();
    }
  };
  return { runner, served, runtime: Object.assign(client, { close, [Symbol.asyncDispose]: () => close() }) };
}
