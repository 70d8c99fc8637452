import { limits } from "../limits.ts";

/**
 * Tries addresses in order, each one `nextAddressMs` after the one before or as soon as that fails, and returns the first
 * connection (RFC 8305 section 5). The attempts that lose are aborted; a connection that comes nevertheless goes to
 * `discard`. `timeoutMs` is for all of them together; 0 = none.
 *
 * @throws the first failure if every address fails, or what ended `signal`'s attempt.
 */
export async function dialFirst<T>(
  hosts: readonly string[],
  dial: (host: string, timeoutMs: number, signal: AbortSignal) => Promise<T>,
  discard: (late: T) => void,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<T> {
  const startedAt = performance.now();
  const failures: unknown[] = [];
  const won = Promise.withResolvers<T>();
  const over = new AbortController();
  const attempts = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  let isOver = false;
  let tried = 0;
  let isLastTried = false;
  const checkAllFailed = (): void => {
    if (isLastTried && failures.length === tried) won.reject(failures[0]);
  };
  for (const [index, host] of hosts.entries()) {
    const leftMs = timeoutMs - Math.floor(performance.now() - startedAt);
    if (isOver || (index > 0 && (attempts.aborted || (timeoutMs > 0 && leftMs <= 0)))) break;
    tried++;
    const failed = Promise.withResolvers<void>();
    dial(host, timeoutMs === 0 ? 0 : index === 0 ? timeoutMs : leftMs, attempts).then(
      (connection) => {
        if (isOver) return discard(connection);
        isOver = true;
        won.resolve(connection);
        over.abort();
      },
      (error: unknown) => {
        failures.push(error);
        failed.resolve();
        checkAllFailed();
      },
    );
    if (index < hosts.length - 1) await firstOf(failed.promise, won.promise, limits.nextAddressMs);
  }
  isLastTried = true;
  checkAllFailed();
  return won.promise;
}

async function firstOf(failed: Promise<void>, won: Promise<unknown>, delayMs: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, delayMs);
  await Promise.race([failed, won.catch(() => undefined), late.promise]);
  clearTimeout(timer);
}
