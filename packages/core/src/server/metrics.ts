import type { CallOutcome, ServerStats } from "@runtara/protocol";
import {
  type Counter,
  type Histogram,
  type HistogramCell,
  type MetricFamily,
  MetricsRegistry,
  watchProcess,
} from "@runtara/server-kit";
import type { StoreStats } from "@runtara/store";

/** Upper bounds of the buckets for latencies, in seconds. */
const latencyBounds = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

export type Port = "instance" | "management";

/** Where the calls of one name are counted. */
interface CallCells {
  readonly durations: HistogramCell;
  readonly outcomes: Partial<Record<CallOutcome, { value: number }>>;
}

/** What is read when somebody asks. */
export interface Sources {
  readonly ports: ReadonlyMap<Port, { stats(): ServerStats }>;
  /** Undefined until the database is open. */
  readonly store: () => StoreStats | undefined;
  /** Numbers of what waits, by name. */
  readonly waiting: () => Readonly<Record<string, number>>;
  readonly isReady: () => boolean;
}

/** The metrics of a core. */
export class CoreMetrics {
  readonly #registry = new MetricsRegistry();
  readonly #calls: Counter;
  readonly #durations: Histogram;
  readonly #stopWatching: () => void;

  constructor() {
    this.#calls = this.#registry.counter("runtara_calls_total", "Calls that are over, by protocol, name and outcome.");
    this.#durations = this.#registry.histogram(
      "runtara_call_duration_seconds",
      "From a call's arrival to its answer; those that wait on purpose included.",
      latencyBounds,
    );
    this.#stopWatching = watchProcess(this.#registry);
  }

  /** Counts the calls of a port, for its `onCallEnded`. */
  observer(protocol: Port): (call: string, outcome: CallOutcome, tookMs: number) => void {
    const cells = new Map<string, CallCells>();
    return (call, outcome, tookMs) => {
      let known = cells.get(call);
      if (known === undefined) {
        known = { durations: this.#durations.cell({ protocol, call }), outcomes: {} };
        cells.set(call, known);
      }
      known.outcomes[outcome] ??= this.#calls.cell({ protocol, call, outcome });
      known.outcomes[outcome].value += 1;
      known.durations.observe(tookMs / 1_000);
    };
  }

  read({ ports, store, waiting, isReady }: Sources): void {
    const registry = this.#registry;
    registry.collect(() => [gauge("runtara_ready", "1 while the core takes calls.", isReady() ? 1 : 0)]);
    registry.collect(() => portFamilies(ports));
    registry.collect(() => storeFamilies(store()));
    registry.collect(() => [byName("runtara_waiting", "gauge", "What waits, by kind.", "kind", waiting())]);
  }

  render(): string {
    return this.#registry.render();
  }

  close(): void {
    this.#stopWatching();
  }
}

function portFamilies(ports: Sources["ports"]): MetricFamily[] {
  const all = Array.from(ports, ([protocol, port]) => ({ protocol, stats: port.stats() }));
  const family = (
    name: string,
    type: "counter" | "gauge",
    help: string,
    value: (stats: ServerStats) => number,
  ): MetricFamily => ({
    name,
    help,
    type,
    samples: all.map(({ protocol, stats }) => ({ labels: { protocol }, value: value(stats) })),
  });
  const byKind = (name: string, help: string, label: string, counts: (stats: ServerStats) => object): MetricFamily => ({
    name,
    help,
    type: "counter",
    samples: all.flatMap(({ protocol, stats }) =>
      Object.entries(counts(stats)).map(([kind, value]) => ({ labels: { protocol, [label]: kind }, value })),
    ),
  });
  return [
    family("runtara_connections", "gauge", "Connections.", ({ connections }) => connections),
    family("runtara_connections_total", "counter", "Connections since the start.", (stats) => stats.connectionsTotal),
    family("runtara_open_calls", "gauge", "Calls without an answer.", ({ openCalls }) => openCalls),
    family(
      "runtara_request_bytes_in_flight",
      "gauge",
      "Bytes of their requests.",
      ({ bytesInFlight }) => bytesInFlight,
    ),
    byKind("runtara_refused_total", "Connections and calls that were refused.", "reason", ({ refused }) => refused),
    byKind("runtara_faults_total", "Streams and calls that went wrong.", "kind", ({ faults }) => faults),
  ];
}

function storeFamilies(stats: StoreStats | undefined): MetricFamily[] {
  if (stats === undefined) return [];
  const { operations, transactions, statements, failures, queued, engine } = stats;
  return [
    counter("runtara_store_operations_total", "Operations that the store has taken.", operations),
    counter("runtara_store_transactions_total", "Transactions that wrote.", transactions),
    counter("runtara_store_statements_total", "SQL statements.", statements),
    counter("runtara_store_failures_total", "Operations that failed.", failures),
    gauge("runtara_store_queued", "Operations that wait.", queued),
    byName("runtara_store_engine", "gauge", "Numbers of the engine at hand.", "name", engine),
  ];
}

function byName(
  name: string,
  type: "counter" | "gauge",
  help: string,
  label: string,
  values: Readonly<Record<string, number>>,
): MetricFamily {
  const samples = Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
  return { name, type, help, samples };
}

function counter(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: "counter", samples: [{ value }] };
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: "gauge", samples: [{ value }] };
}
