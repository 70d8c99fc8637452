import { limits } from "./limits.ts";
import type { Logger } from "./logs/logger.ts";

/**
 * For a server's own process: an error that no handler has caught is logged, and the process lives, because what it was about is one call
 * of one client and everything durable is in transactions. At most one line a second, with the number of those it stands for. Returns a
 * function that takes this back.
 */
export function surviveFaults(logger: Logger, now: () => number = () => performance.now()): () => void {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  let untold = 0;
  const onFault = (error: unknown): void => {
    untold += 1;
    if (now() < quietUntilMs) return;
    quietUntilMs = now() + limits.faultQuietMs;
    logger.error({ err: error, ...(untold === 1 ? {} : { count: untold }) }, "an error was caught by nobody; going on");
    untold = 0;
  };
  process.on("uncaughtException", onFault);
  process.on("unhandledRejection", onFault);
  return () => {
    process.off("uncaughtException", onFault);
    process.off("unhandledRejection", onFault);
  };
}
