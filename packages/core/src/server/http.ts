import { parseAddress } from "@runtara/protocol";
import { type HttpAnswer, type HttpServer, serveHttp } from "@runtara/server-kit";
import { type Store, StoreError } from "@runtara/store";
import { limits } from "../limits.ts";

/** What the probes ask. */
export interface Probed {
  readonly state: () => "starting" | "running" | "draining";
  /** Undefined while starting. */
  readonly store: () => Store | undefined;
  readonly metrics: () => string;
}

const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Probes and metrics: /healthz (the process lives), /readyz (the store answers, and the core takes calls), /metrics.
 *
 * @throws ProtocolError ADDRESS_INVALID; the system's error if it cannot listen
 */
export function listenForHttp(address: string, probed: Probed): Promise<HttpServer> {
  const { host, port } = parseAddress(address, "bind");
  const look = sharedLook(probed);
  return serveHttp(host, port, {
    "/healthz": () => ({ status: 200, body: "ok\n" }),
    "/readyz": look,
    "/metrics": () => ({ status: 200, body: probed.metrics(), type: metricsType }),
  });
}

/** One look at the store at a time, however many ask. */
function sharedLook(probed: Probed): () => Promise<HttpAnswer> {
  let underWay: Promise<HttpAnswer> | undefined;
  return () => {
    underWay ??= readiness(probed).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

async function readiness({ state, store }: Probed): Promise<HttpAnswer> {
  const open = store();
  if (state() !== "running" || open === undefined) return { status: 503, body: `${state()}\n` };
  const trouble = await troubleOf(open);
  return trouble === undefined ? { status: 200, body: "ready\n" } : { status: 503, body: `${trouble}\n` };
}

async function troubleOf(store: Store): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, limits.readyWithinMs, `the store has not answered within ${limits.readyWithinMs} ms`);
  });
  const answered = store.run({ kind: "checkHealth" }).then(
    () => undefined,
    // Its code alone: a message may name hosts and paths, and nobody has to show a token here.
    (error: unknown) => `the store failed (${error instanceof StoreError ? error.code : "INTERNAL"})`,
  );
  const first = await Promise.race([answered, late]);
  clearTimeout(timer);
  return first;
}
