import { createCore } from "@runtara/core";
import type { Store } from "@runtara/store";
import type { Client } from "../api/client.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { createClient } from "../client/client.ts";
import { LocalOperator } from "../embedded/local-operator.ts";
import type { Clock } from "../ports/clock.ts";
import { createSealer } from "../values/sealer.ts";

export interface ClientConnectionParts {
  readonly store: Store;
  readonly tenantId: string;
  readonly clock: Clock;
  /** A workflow is about to be started by its definition. */
  readonly onStart: (workflow: AnyWorkflow) => void;
}

/** A client that outlives the processes which run its instances. */
export interface ClientConnection {
  readonly client: Client;
  close(): Promise<void>;
}

/** A client beside the processes: it writes to the same store and runs nothing. */
export function openClient({ store, tenantId, clock, onStart }: ClientConnectionParts): ClientConnection {
  const core = createCore({ store, clock });
  const operator = new LocalOperator({ core, store, tenantId });
  return {
    client: createClient({ operator, tenantId, sealer: createSealer(), clock, onStart }),
    async close() {
      operator.close();
      await core.close();
    },
  };
}
