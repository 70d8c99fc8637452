import { constants } from "node:os";
import { type Logger, silentLogger } from "./logs/logger.ts";

export interface ShutdownOptions {
  readonly logger?: Logger;
  /** What ends the process; default `process.exit`. */
  readonly exit?: (code: number) => void;
}

const signals = ["SIGINT", "SIGTERM"] as const;

/**
 * On the first SIGINT or SIGTERM runs `close` and exits with 0 (1 if it failed). A second signal exits at once with 128 + its number.
 * Returns a function that takes the handlers away again.
 */
export function onShutdownSignal(close: () => Promise<void>, options: ShutdownOptions = {}): () => void {
  const logger = options.logger ?? silentLogger;
  const exit = options.exit ?? ((code) => process.exit(code));
  let closing = false;

  function onSignal(signal: (typeof signals)[number]): void {
    if (closing) {
      exit(128 + constants.signals[signal]);
      return;
    }
    closing = true;
    logger.info({ signal }, "shutting down");
    close().then(
      () => exit(0),
      (error: unknown) => {
        logger.error({ err: error }, "the shutdown failed");
        exit(1);
      },
    );
  }

  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}
