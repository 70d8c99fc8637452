import { type Profiler, Session } from "node:inspector";

/** A stretch of a script that runs as a whole. */
interface Block {
  readonly scriptId: string;
  readonly start: number;
  readonly end: number;
}

/** What has run between two looks. */
export class Look {
  readonly #scripts: readonly Profiler.ScriptCoverage[];

  constructor(scripts: readonly Profiler.ScriptCoverage[]) {
    this.#scripts = scripts;
  }

  /** The blocks that are reported as run, by a name. */
  *blocks(): Generator<[name: string, block: Block]> {
    for (const { scriptId, functions } of this.#scripts) {
      for (const { ranges } of functions) {
        for (const { startOffset: start, endOffset: end, count } of ranges) {
          if (count > 0) yield [`${scriptId}:${start}:${end}`, { scriptId, start, end }];
        }
      }
    }
  }

  /** Whether `block` has run. V8 reports a block only where its count is not that of the one around it. */
  covers({ scriptId, start, end }: Block): boolean {
    let innermost: Profiler.CoverageRange | undefined;
    for (const script of this.#scripts) {
      if (script.scriptId !== scriptId) continue;
      for (const range of script.functions.flatMap(({ ranges }) => ranges)) {
        if (range.startOffset > start || range.endOffset < end) continue;
        if (innermost === undefined || sizeOf(range) <= sizeOf(innermost)) innermost = range;
      }
    }
    return innermost !== undefined && innermost.count > 0;
  }
}

/**
 * V8's own block coverage of the sources under `folder` (a part of their URLs). A look costs about a millisecond, so it
 * is taken after many inputs, and after single ones only to find out which of them was new.
 */
export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #folder: string;
  readonly #seen = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Blocks that have ever run. */
  get blocks(): number {
    return this.#seen.size;
  }

  look(): Look {
    let scripts: Profiler.ScriptCoverage[] = [];
    // Within one thread the answer comes before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
      if (error) throw error;
      scripts = taken.result.filter(({ url }) => url.includes(this.#folder));
    });
    return new Look(scripts);
  }

  /** Blocks that have run since the last look and never before. */
  takeNew(): Block[] {
    const fresh: Block[] = [];
    for (const [name, block] of this.look().blocks()) {
      if (this.#seen.has(name)) continue;
      this.#seen.add(name);
      fresh.push(block);
    }
    return fresh;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }
}

function sizeOf({ startOffset, endOffset }: Profiler.CoverageRange): number {
  return endOffset - startOffset;
}
