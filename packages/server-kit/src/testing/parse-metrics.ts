/** One line of values in Prometheus' text format. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the whole text by the grammar of the format; throws at the first line that is not in it. For tests. */
export function parseMetrics(text: string): { families: Map<string, string>; samples: ParsedSample[] } {
  const families = new Map<string, string>();
  const samples: ParsedSample[] = [];
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no end");
  for (const line of text.split("\n").slice(0, -1)) {
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) families.set(type[1] ?? "", type[2] ?? "");
    else if (!/^# HELP [a-zA-Z_:][\w:]* .*$/.test(line)) samples.push(sampleOf(line));
  }
  for (const { name } of samples) {
    const family = name.replace(/_(bucket|sum|count)$/, "");
    if (!families.has(name) && !families.has(family)) throw new Error(`${name} has no type`);
  }
  return { families, samples };
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\n"])*",?)*)\})? (\S+)$/s;

function sampleOf(line: string): ParsedSample {
  const [, name = "", labelText = "", valueText = ""] = sampleLine.exec(line) ?? [];
  const value = Number(valueText.replace("Inf", "Infinity"));
  if (name === "" || Number.isNaN(value)) throw new Error(`no sample: ${line}`);
  const pairs = labelText.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\n"])*)"/gs);
  const labels = Object.fromEntries(Array.from(pairs, ([, key = "", text = ""]) => [key, unescaped(text)]));
  return { name, labels, value };
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([\\n"])/g, (_, sign: string) => (sign === "n" ? "\n" : sign));
}
