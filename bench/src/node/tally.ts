const samplesMax = 4_000_000;

/** Counts the calls that end within the measured time, and how long each took. */
export class LoadTally {
  readonly #beginAtMs: number;
  readonly #endAtMs: number;
  readonly #latenciesUs = new Float64Array(samplesMax);
  readonly #errorTexts: Record<string, number> = {};
  #cpuAtBegin: NodeJS.CpuUsage | undefined;
  #cpuSeconds = 0;
  #count = 0;
  #allCount = 0;
  #errors = 0;

  constructor(warmupMs: number, measuredMs: number) {
    this.#beginAtMs = performance.now() + warmupMs;
    this.#endAtMs = this.#beginAtMs + measuredMs;
  }

  isOver(nowMs: number): boolean {
    return nowMs >= this.#endAtMs;
  }

  answered(startedAtMs: number, nowMs: number): void {
    this.#allCount++;
    if (nowMs < this.#beginAtMs) return;
    this.#cpuAtBegin ??= process.cpuUsage();
    if (nowMs >= this.#endAtMs) return;
    if (this.#count < samplesMax) this.#latenciesUs[this.#count++] = (nowMs - startedAtMs) * 1000;
  }

  failed(text: string): void {
    this.#errors++;
    this.#errorTexts[text] = (this.#errorTexts[text] ?? 0) + 1;
  }

  /** To be asked once, right after the last call. */
  report(): object {
    if (this.#cpuAtBegin) {
      const { user, system } = process.cpuUsage(this.#cpuAtBegin);
      this.#cpuSeconds = (user + system) / 1e6;
    }
    const sorted = this.#latenciesUs.subarray(0, this.#count).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      calls: this.#count,
      allCalls: this.#allCount,
      errors: this.#errors,
      errorTexts: this.#errorTexts,
      callsPerSecond: (this.#count * 1000) / (this.#endAtMs - this.#beginAtMs),
      p50Us: at(0.5),
      p99Us: at(0.99),
      maxUs: sorted.at(-1) ?? 0,
      cpuSeconds: this.#cpuSeconds,
    };
  }
}
