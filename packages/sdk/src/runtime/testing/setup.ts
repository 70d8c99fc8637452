import type { Logger } from "../../api/runtime.ts";
import { SourceError } from "../../ports/source-error.ts";
import { SimulatedClock } from "../../testing/simulated-clock.ts";
import type { Rounds } from "../runtime.ts";

/** The next turn of the event loop, and all that follows from it. */
export async function settle(turns = 6): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Time that a test moves. */
export class TestClock extends SimulatedClock {
  /** Lets so much time pass; what is due on the way is called in its turn. */
  async pass(ms: number): Promise<void> {
    const end = this.now() + ms;
    let hasArrived = false;
    this.after(ms, () => {
      hasArrived = true;
    });
    while (!hasArrived && this.now() <= end) {
      this.step();
      await settle(3);
    }
  }
}

/** What was logged, as `level message`. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const log =
    (level: string) =>
    (_fields: Readonly<Record<string, unknown>>, message: string): void => {
      lines.push(`${level} ${message}`);
    };
  return { logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") }, lines };
}

const ignore = (): void => {};
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Rounds that end when the test says so. */
export class HandRounds implements Rounds {
  readonly dirty: { flush(): void }[] = [];
  readonly makeTurns: Rounds["makeTurns"] = () => {
    throw new Error("no turns here");
  };

  add(dirty: { flush(): void }): void {
    this.dirty.push(dirty);
  }

  end(): void {
    for (const one of this.dirty.splice(0)) one.flush();
  }
}

export function away(message = "gone fishing"): SourceError {
  return new SourceError("AWAY", message);
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (state: Uint8Array | undefined): string => new TextDecoder().decode(state);
