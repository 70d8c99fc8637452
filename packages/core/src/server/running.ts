import type { management, ServerCall } from "@runtara/protocol";
import type { Store } from "@runtara/store";
import { type Core, createCore } from "../core.ts";
import { createManagement, type Management } from "../management/index.ts";
import { CallDispatcher } from "./call-dispatcher.ts";
import { answerAdminCall } from "./management-wire/admin-port.ts";
import { type ManagementArm, ManagementDispatcher } from "./management-wire/management-dispatcher.ts";
import type { RepeatedLog } from "./repeated-log.ts";
import type { StartCoreOptions } from "./start-options.ts";
import { version } from "./version.ts";

export type AdminCall = ServerCall<management.RpcRequest, management.RpcResponse>;
type Connection = Parameters<CallDispatcher["connectionClosed"]>[0];

/** The services at work on a store. */
export class Running {
  readonly store: Store;
  readonly #core: Core;
  readonly #management: Management;
  readonly #dispatcher: CallDispatcher;
  readonly #adminArm: ManagementArm;

  constructor(store: Store, options: StartCoreOptions, log: RepeatedLog) {
    this.store = store;
    this.#core = coreOf(store, options, log);
    const { work, background, clock } = this.#core;
    this.#management = createManagement({
      store,
      clock,
      start: (request, answer) => work.start(request, answer),
      onUnsettled: () => background.settle.wake(),
    });
    const dispatcher = new ManagementDispatcher({ management: this.#management, log, version });
    this.#adminArm = dispatcher.arm("admin");
    this.#dispatcher = new CallDispatcher({ core: this.#core, log, management: dispatcher.arm("instance") });
  }

  /** Begins what core does by itself. */
  start(): void {
    this.#core.start();
  }

  take(call: ServerCall): void {
    this.#dispatcher.dispatch(call);
  }

  takeAdmin(call: AdminCall): void {
    answerAdminCall(this.#adminArm, call);
  }

  connectionClosed(connection: Connection): void {
    this.#dispatcher.connectionClosed(connection);
  }

  /** What waits, for the metrics. */
  waiting(): Readonly<Record<string, number>> {
    const { sleeps, work, waiter } = this.#core;
    const { waits, feed } = this.#management;
    return { sleeps: sleeps.open, claims: work.open, signals: waiter.open, operators: waits.open + feed.open };
  }

  /** Answers polls and cuts sleeps. Also commits what waits for the end of a batch that the server will not bring any more. */
  drain(): void {
    this.#core.drain();
  }

  /** Resolves once nothing is under way any more. The store stays open. */
  close(): Promise<void> {
    this.#management.close();
    return this.#core.close();
  }
}

function coreOf(store: Store, options: StartCoreOptions, log: RepeatedLog): Core {
  const { maxConcurrentInstances, staleAfterMs, retention, stateBytesMax, tenantChecks, clock } = options;
  return createCore({
    store,
    onTrouble: (task, error) => log.write("error", { task, err: error }, "the store failed a task of the core"),
    ...(maxConcurrentInstances === undefined ? {} : { runningMax: maxConcurrentInstances }),
    ...(staleAfterMs === undefined ? {} : { staleAfterMs }),
    ...(retention === undefined ? {} : { retention }),
    ...(stateBytesMax === undefined ? {} : { stateBytesMax }),
    ...(tenantChecks === undefined ? {} : { tenantChecks }),
    ...(clock === undefined ? {} : { clock }),
  });
}
