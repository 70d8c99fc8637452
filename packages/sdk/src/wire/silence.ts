import { limits } from "../limits.ts";

/** A killed core says no goodbye: only silence tells. On the same machine silence is told soon; keep-alives come from threads of the addon,
 *  so a busy event loop on either side is no silence. */
export function silenceLimits(server: string): { keepAliveIntervalMs: number; idleTimeoutMs: number } {
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d+$/.test(server)
    ? { keepAliveIntervalMs: limits.keepAliveMsLoopback, idleTimeoutMs: limits.idleMsLoopback }
    : { keepAliveIntervalMs: limits.keepAliveMs, idleTimeoutMs: limits.idleMs };
}
