import type { AnyWorkflow } from "../api/workflow.ts";
import type { Clock } from "../ports/clock.ts";
import type { Operator } from "../ports/operator.ts";
import type { Sealer } from "../values/codec-port.ts";

/** What a client is made of. */
export interface ClientParts {
  readonly operator: Operator;
  readonly tenantId: string;
  readonly sealer: Sealer;
  /** The source's: due times are told by it. */
  readonly clock: Clock;
  /** A workflow is about to be started by its definition. @throws ConfigError: it can't be served here */
  readonly onStart?: (workflow: AnyWorkflow) => void;
}
