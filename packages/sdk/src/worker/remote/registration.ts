import { Features, type instance } from "@runtara/protocol";
import type { ClaimedWork } from "../../ports/source.ts";
import type { RemoteCalls } from "./remote-calls.ts";
import type { ServerClock } from "./server-clock.ts";
import { startFacts } from "./start-facts.ts";

/** For the log of the server. */
const clientName = "@runtara/sdk";

export interface RegistrationParts {
  readonly calls: RemoteCalls;
  readonly clock: ServerClock;
  readonly instanceId: string;
  readonly tenantId: string;
  /** What the launcher gave this process, where the server demands it. */
  readonly token?: string | undefined;
}

/** `work` is undefined where the core keeps to the base protocol. */
export type Registration =
  | { readonly work: ClaimedWork | undefined; readonly features: Features }
  | { readonly refusal: string };

/** Makes this process the owner of the instance; whoever had it is fenced. @throws SourceError */
export async function register({
  calls,
  clock,
  instanceId,
  tenantId,
  token,
}: RegistrationParts): Promise<Registration> {
  const message: instance.RegisterInstanceRequest = {
    $typeName: "runtara.instance.RegisterInstanceRequest",
    instanceId,
    tenantId,
    wantsStartFacts: true,
    client: clientName,
    ...(token === undefined ? {} : { token }),
  };
  const sentAtMs = clock.elapsedMs;
  const { success, error, features, start } = await calls.once(message);
  if (!success) return { refusal: error };
  if (!start) return { work: undefined, features: new Features(features) };
  clock.heard(Number(start.serverTimeMs), sentAtMs);
  return { work: { instanceId, tenantId, facts: startFacts(start) }, features: new Features(features) };
}
