import type { StartFacts, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { CoreError, type CoreErrorCode, type Repeatable } from "../core-error.ts";
import { newSeed } from "../seed.ts";
import { isStorableId, unstorableId } from "../validation.ts";

export interface RegisterRequest {
  readonly instanceId: string;
  readonly tenantId: string;
  readonly checkpointId?: string | undefined;
}

/** `error` is what clients of 1.4.1 read; `code` and `repeatable` are for those that ask for more. */
export type RegisterResponse =
  | { readonly success: true; readonly facts: StartFacts }
  | { readonly success: false; readonly error: string; readonly code: CoreErrorCode; readonly repeatable: Repeatable };

export interface RegistrationOptions {
  readonly now: () => number;
  /** Refuse instances of another tenant. */
  readonly tenantChecks: boolean;
  /** See RegisterInstance of the store. */
  readonly staleAfterMs: number;
}

/** Makes a process the owner of an instance (spec 2.3). */
export class RegistrationService {
  readonly #store: Store;
  readonly #options: RegistrationOptions;

  constructor(store: Store, options: RegistrationOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Every refusal and failure is told in the response; there is no error. */
  register(request: RegisterRequest, answer: Answer<RegisterResponse>): void {
    const refuse = (error: CoreError, text = error.message): void =>
      answer(undefined, { success: false, error: text, code: error.code, repeatable: error.repeatable });
    const invalid = invalidRegistration(request);
    if (invalid !== undefined) {
      refuse(invalid.error, invalid.text);
      return;
    }
    const { instanceId, tenantId, checkpointId } = request;
    const { now, tenantChecks, staleAfterMs } = this.#options;
    this.#store.submit(
      {
        kind: "registerInstance",
        instanceId,
        tenantId,
        checkTenant: tenantChecks,
        ...(checkpointId === undefined ? {} : { checkpointId }),
        seed: newSeed(),
        nowMs: now(),
        staleAfterMs,
      },
      onResult(
        (error) => refuse(error, `Failed to create instance: ${error.message}`),
        (result) => {
          switch (result.outcome) {
            case "registered":
              return answer(undefined, { success: true, facts: result.facts });
            case "checkpointMissing":
              return refuse(CoreError.checkpointNotFound(checkpointId ?? ""));
            case "otherTenant":
              return refuse(CoreError.otherTenant(instanceId));
            case "refused":
              return refuse(CoreError.invalidState(instanceId, "pending, running or suspended", result.status));
          }
        },
      ),
    );
  }
}

interface Invalid {
  readonly error: CoreError;
  /** Where the original says it in words of its own. */
  readonly text?: string;
}

/** In the order of the original. */
function invalidRegistration({ instanceId, tenantId, checkpointId }: RegisterRequest): Invalid | undefined {
  if (instanceId === "") return missing("instance_id");
  if (tenantId === "") return missing("tenant_id");
  // An id that cannot be stored cannot be there either.
  if (checkpointId !== undefined && !isStorableId(checkpointId))
    return { error: CoreError.checkpointNotFound(checkpointId) };
  if (!isStorableId(instanceId)) return { error: unstorableId("instance_id", instanceId) };
  if (!isStorableId(tenantId)) return { error: unstorableId("tenant_id", tenantId) };
  return undefined;
}

function missing(field: string): Invalid {
  const text = `${field} is required`;
  return { error: CoreError.validation(field, text), text };
}
