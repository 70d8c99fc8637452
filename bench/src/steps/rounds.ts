// What every contestant's program does, ours and the others': bench/peers imports it, too, so nothing but Node is imported here.
import { createInterface } from "node:readline";

/** What a program is asked for, a line each. */
export interface RoundRequest {
  readonly workflows: number;
  readonly steps: number;
}

/** What it answers, a line each. */
export interface RoundAnswer {
  readonly totalMs: number;
  /** From start to result, of each workflow that ended well. */
  readonly workflowMs: readonly number[];
  readonly errors: readonly string[];
}

export interface Ready {
  readonly ready: true;
}

/**
 * Says that it is ready, then runs so many workflows at once whenever a line asks for some, until stdin ends. `run(steps, serial)` runs one
 * workflow of so many steps to its end; its output is the number of steps.
 */
export async function serveRounds(run: (steps: number, serial: number) => Promise<unknown>): Promise<void> {
  say({ ready: true });
  let serial = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const { workflows, steps } = JSON.parse(line) as RoundRequest;
    const errors: string[] = [];
    const workflowMs: number[] = [];
    const one = async (): Promise<void> => {
      const began = performance.now();
      try {
        const output = await run(steps, serial++);
        if (output !== steps) throw new Error(`the workflow returned ${JSON.stringify(output)} instead of ${steps}`);
        workflowMs.push(performance.now() - began);
      } catch (error) {
        errors.push(String(error));
      }
    };
    const began = performance.now();
    await Promise.all(Array.from({ length: workflows }, one));
    say({ totalMs: performance.now() - began, workflowMs, errors });
  }
}

function say(answer: Ready | RoundAnswer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
