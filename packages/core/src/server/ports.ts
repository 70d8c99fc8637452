import {
  isProtocolError,
  type management,
  managementProtocol,
  QuicServer,
  type ServerCall,
  type ServerTls,
} from "@runtara/protocol";
import type { Logger } from "@runtara/server-kit";
import { instanceFeatures, managementFeatures } from "./capabilities.ts";
import { reportFault } from "./faults.ts";
import { shownBy } from "./identity.ts";
import type { CoreMetrics } from "./metrics.ts";
import type { AdminCall, Running } from "./running.ts";
import type { StartCoreOptions } from "./start-options.ts";

export type AdminServer = QuicServer<management.RpcRequest, management.RpcResponse>;

/** What arrives before the database is open waits here. */
export class Gate {
  #running: Running | undefined;
  readonly #early: ServerCall[] = [];
  readonly #earlyAdmin: AdminCall[] = [];

  get running(): Running | undefined {
    return this.#running;
  }

  take(call: ServerCall): void {
    if (this.#running === undefined) this.#early.push(call);
    else this.#running.take(call);
  }

  takeAdmin(call: AdminCall): void {
    if (this.#running === undefined) this.#earlyAdmin.push(call);
    else this.#running.takeAdmin(call);
  }

  open(running: Running): void {
    this.#running = running;
    for (const call of this.#early.splice(0)) running.take(call);
    for (const call of this.#earlyAdmin.splice(0)) running.takeAdmin(call);
    running.store.flush();
  }
}

/** What both ports need. */
export interface PortContext {
  readonly options: StartCoreOptions;
  readonly tls: ServerTls | undefined;
  readonly gate: Gate;
  readonly metrics: CoreMetrics | undefined;
  readonly logger: Logger;
}

/** @throws ProtocolError ADDRESS_INVALID, OPTION_INVALID, CERTIFICATE_INVALID, BIND_FAILED */
export function listenForInstances({ options, tls, gate, metrics, logger }: PortContext): Promise<QuicServer> {
  return QuicServer.listen({
    ...options.transport,
    ...shownBy(tls, options),
    bindAddr: options.bindAddr,
    features: instanceFeatures,
    onCall: (call) => gate.take(call),
    // Everything that one drain brought is one group commit; a lone call is committed at once.
    onDrained: () => gate.running?.store.flush(),
    onDraining: () => gate.running?.drain(),
    onConnectionClosed: (connection) => gate.running?.connectionClosed(connection),
    onFault: (fault) => reportFault(logger, fault),
    ...(metrics === undefined ? {} : { onCallEnded: metrics.observer("instance") }),
  });
}

/**
 * Undefined where it is not asked for, or is taken and optional.
 *
 * @throws ProtocolError as `listenForInstances`
 */
export async function listenForOperators(context: PortContext): Promise<AdminServer | undefined> {
  const { options, tls, gate, metrics, logger } = context;
  if (options.adminAddr === undefined) return undefined;
  try {
    return await QuicServer.listen({
      ...options.transport,
      ...shownBy(tls, options),
      bindAddr: options.adminAddr,
      protocol: managementProtocol,
      features: managementFeatures,
      onCall: (call: AdminCall) => gate.takeAdmin(call),
      onDrained: () => gate.running?.store.flush(),
      onFault: (fault) => reportFault(logger, fault),
      ...(metrics === undefined ? {} : { onCallEnded: metrics.observer("management") }),
    });
  } catch (error) {
    if (options.isAdminOptional !== true || !isProtocolError(error) || error.code !== "BIND_FAILED") throw error;
    const message =
      "the admin port is taken; going on without it (RUNTARA_ADMIN_PORT names another one, 0 turns it off)";
    logger.warn({ address: options.adminAddr, reason: error.message }, message);
    return undefined;
  }
}
