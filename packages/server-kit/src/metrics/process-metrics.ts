import { monitorEventLoopDelay } from "node:perf_hooks";
import { limits } from "../limits.ts";
import type { MetricFamily, MetricsRegistry } from "./registry.ts";

/** Memory, processor time and event loop delay of this process, by the names that Prometheus' own clients use. Returns what ends it. */
export function watchProcess(registry: MetricsRegistry): () => void {
  const delay = monitorEventLoopDelay({ resolution: limits.loopDelayMs });
  delay.enable();
  registry.collect(() => families(delay));
  return () => void delay.disable();
}

function* families(delay: ReturnType<typeof monitorEventLoopDelay>): Generator<MetricFamily> {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  yield single("process_cpu_seconds_total", "counter", "Processor time, user and system.", (user + system) / 1e6);
  yield single("process_resident_memory_bytes", "gauge", "Resident memory.", rss);
  yield single("process_start_time_seconds", "gauge", "Start since the Unix epoch.", performance.timeOrigin / 1_000);
  yield single("nodejs_heap_size_used_bytes", "gauge", "Heap in use.", heapUsed);
  yield single("nodejs_heap_size_total_bytes", "gauge", "Heap reserved.", heapTotal);
  yield single("nodejs_external_memory_bytes", "gauge", "Memory of objects outside of the heap.", external);
  yield {
    name: "nodejs_eventloop_lag_seconds",
    help: "Delay of the event loop since the last scrape.",
    type: "gauge",
    samples: [0.5, 0.9, 0.99, 1].map((quantile) => ({
      labels: { quantile: String(quantile) },
      value: Math.max(0, delay.percentile(quantile * 100) / 1e9 - limits.loopDelayMs / 1_000),
    })),
  };
  delay.reset();
}

function single(name: string, type: "counter" | "gauge", help: string, value: number): MetricFamily {
  return { name, help, type, samples: [{ value }] };
}
