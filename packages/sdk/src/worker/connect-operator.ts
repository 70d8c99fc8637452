import { limits } from "../limits.ts";
import type { Operator } from "../ports/operator.ts";
import { checkedId } from "../runtime/settings.ts";
import { accessOf } from "../wire/server-access.ts";
import { settingsFromEnv } from "./environment.ts";
import { Link } from "./link.ts";
import { RemoteCalls } from "./remote/remote-calls.ts";
import { RemoteOperator } from "./remote/remote-operator.ts";
import { type ConnectionOptions, completeConnection, serversOf } from "./settings.ts";

export interface ConnectedOperator {
  readonly operator: Operator;
  readonly tenantId: string;
  close(): Promise<void>;
}

/** Asks and orders through a core, without running anything. `options` win over the `RUNTARA_…` variables.
 *  @throws ConfigError; ConnectionError when no core answers within the connect time-out */
export async function connectOperator(
  options: ConnectionOptions & { readonly tenantId?: string },
): Promise<ConnectedOperator> {
  const settings = { ...settingsFromEnv(), ...options };
  const connection = completeConnection(settings);
  const tenantId = checkedId("tenantId", settings.tenantId ?? "default");
  const link = new Link({ ...connection, servers: serversOf(settings.server), access: accessOf(settings) }, () => {});
  try {
    await link.connect();
  } catch (error) {
    await link.close();
    throw error;
  }
  const graceMs = connection.requestTimeoutMs || limits.requestTimeoutMsDefault;
  const operator = new RemoteOperator(new RemoteCalls(link, graceMs), tenantId, graceMs);
  return { operator, tenantId, close: () => link.close() };
}
