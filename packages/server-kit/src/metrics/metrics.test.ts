import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MetricsRegistry, watchProcess } from "../index.ts";
import { limits } from "../limits.ts";
import { parseMetrics } from "../testing/parse-metrics.ts";

test("counters and histograms read as Prometheus defines them", () => {
  const registry = new MetricsRegistry();
  const calls = registry.counter("calls_total", "Calls.");
  calls.cell({ call: "a" }).value += 2;
  calls.cell({ call: "b" }).value += 1;
  calls.cell({ call: "a" }).value += 1;
  const took = registry.histogram("took_seconds", "Time.", [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 2]) took.cell({}).observe(value);
  assert.equal(
    registry.render(),
    [
      "# HELP calls_total Calls.",
      "# TYPE calls_total counter",
      'calls_total{call="a"} 3',
      'calls_total{call="b"} 1',
      "# HELP took_seconds Time.",
      "# TYPE took_seconds histogram",
      'took_seconds_bucket{le="0.1"} 2',
      'took_seconds_bucket{le="1"} 3',
      'took_seconds_bucket{le="+Inf"} 4',
      "took_seconds_sum 2.65",
      "took_seconds_count 4",
      "",
    ].join("\n"),
  );
});

test("any label survives the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.double({ noNaN: true }), (label, value) => {
      const registry = new MetricsRegistry();
      registry.collect(() => [{ name: "m", help: "h\n\\", type: "gauge", samples: [{ labels: { l: label }, value }] }]);
      const sample = parseMetrics(registry.render()).samples[0];
      assert.equal(sample?.labels.l, label);
      assert.equal(sample?.value, value === 0 ? 0 : value);
    }),
  );
});

test("label sets are bounded; what comes after them counts as other", () => {
  const registry = new MetricsRegistry();
  const counter = registry.counter("c_total", "C.");
  for (let n = 0; n < limits.labelSetsMax + 50; n += 1) counter.cell({ l: `l${n}` }).value += 1;
  const { samples } = parseMetrics(registry.render());
  assert.equal(samples.length, limits.labelSetsMax + 1);
  assert.equal(samples.find(({ labels }) => labels.l === "other")?.value, 50);
});

test("a collector that fails takes no other with it", () => {
  const registry = new MetricsRegistry();
  registry.collect(() => {
    throw new Error("closed");
  });
  registry.counter("c_total", "C.").cell({}).value = 1;
  assert.match(registry.render(), /^c_total 1$/m);
});

test("the process tells memory, processor time and the event loop's delay", () => {
  const registry = new MetricsRegistry();
  const stop = watchProcess(registry);
  const { families, samples } = parseMetrics(registry.render());
  stop();
  assert.equal(families.get("process_cpu_seconds_total"), "counter");
  const value = (name: string) => samples.find((sample) => sample.name === name)?.value ?? 0;
  assert.ok(value("process_resident_memory_bytes") > 1_000_000);
  assert.ok(value("nodejs_heap_size_used_bytes") > 100_000);
  assert.equal(samples.filter(({ name }) => name === "nodejs_eventloop_lag_seconds").length, 4);
});
