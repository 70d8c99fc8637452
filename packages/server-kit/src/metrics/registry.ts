import { limits } from "../limits.ts";

// Prometheus' text format 0.0.4, as far as counters, gauges and histograms need it.

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** Behind the family's name: "_bucket", "_sum", "_count"; default nothing. */
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number;
}

/** One metric with all its label sets. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

/** Reads numbers that are kept elsewhere, at the moment when somebody asks. */
export type Collector = () => Iterable<MetricFamily>;

/** The metrics of a process. */
export class MetricsRegistry {
  readonly #collectors: Collector[] = [];

  /** Families of one name must come from one collector. */
  collect(collector: Collector): void {
    this.#collectors.push(collector);
  }

  counter(name: string, help: string): Counter {
    const counter = new Counter(name, help);
    this.collect(() => [counter.family()]);
    return counter;
  }

  /** `bounds`: upper bounds of the buckets, rising. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const histogram = new Histogram(name, help, bounds);
    this.collect(() => [histogram.family()]);
    return histogram;
  }

  /** The text that a scrape gets. A collector that throws leaves its own families out, no others. */
  render(): string {
    return this.#collectors.flatMap(read).map(familyText).join("");
  }
}

function read(collector: Collector): MetricFamily[] {
  try {
    return [...collector()];
  } catch {
    return [];
  }
}

/** The cells of a metric by label values; a bounded number of them, whatever the labels are. */
class Cells<Cell> {
  readonly #cells = new Map<string, { readonly labels: Labels; readonly cell: Cell }>();
  readonly #make: () => Cell;

  constructor(make: () => Cell) {
    this.#make = make;
  }

  of(labels: Labels): Cell {
    const key = Object.values(labels).join("\n");
    const known = this.#cells.get(key);
    if (known !== undefined) return known.cell;
    if (this.#cells.size >= limits.labelSetsMax) {
      const other = Object.fromEntries(Object.keys(labels).map((name) => [name, "other"]));
      if (key !== Object.values(other).join("\n")) return this.of(other);
    }
    const cell = this.#make();
    this.#cells.set(key, { labels, cell });
    return cell;
  }

  [Symbol.iterator](): Iterator<{ readonly labels: Labels; readonly cell: Cell }> {
    return this.#cells.values();
  }
}

/** Grows only. */
export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #cells = new Cells(() => ({ value: 0 }));

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  /** The cell of one label set, to be kept by callers that count often. Labels must have the same names each time. */
  cell(labels: Labels): { value: number } {
    return this.#cells.of(labels);
  }

  family(): MetricFamily {
    const samples = [...this.#cells].map(({ labels, cell }) => ({ labels, value: cell.value }));
    return { name: this.#name, help: this.#help, type: "counter", samples };
  }
}

/** Values of one label set by size. */
export class HistogramCell {
  readonly #bounds: readonly number[];
  /** One more than bounds: the last counts what is above all of them. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let place = 0;
    while (place < this.#bounds.length && value > (this.#bounds[place] ?? 0)) place += 1;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#sum += value;
  }

  samples(labels: Labels): Sample[] {
    let count = 0;
    const buckets = this.#counts.map((more, place) => {
      count += more;
      const le = String(this.#bounds[place] ?? "+Inf");
      return { suffix: "_bucket", labels: { ...labels, le }, value: count };
    });
    return [...buckets, { suffix: "_sum", labels, value: this.#sum }, { suffix: "_count", labels, value: count }];
  }
}

/** How large values are, in buckets. */
export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #cells: Cells<HistogramCell>;

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#cells = new Cells(() => new HistogramCell(bounds));
  }

  /** As `Counter.cell`. */
  cell(labels: Labels): HistogramCell {
    return this.#cells.of(labels);
  }

  family(): MetricFamily {
    const samples = [...this.#cells].flatMap(({ labels, cell }) => cell.samples(labels));
    return { name: this.#name, help: this.#help, type: "histogram", samples };
  }
}

function familyText({ name, help, type, samples }: MetricFamily): string {
  if (samples.length === 0) return "";
  const lines = samples.map(
    ({ suffix = "", labels = {}, value }) => `${name}${suffix}${labelText(labels)} ${numberText(value)}\n`,
  );
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
