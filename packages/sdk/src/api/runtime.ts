import type { Duration } from "../durations.ts";
import type { Codec } from "../values/codec-port.ts";
import type { Client } from "./client.ts";

/** A client in a process that also runs workflows: of `open`, `serve`, `createTest`. */
export interface Runtime extends Client, AsyncDisposable {
  /** Idempotent. No new claims or bodies; running bodies get `drain`; what is unfinished goes to others at once. */
  close(options?: { drain?: Duration }): Promise<void>;
}

/** One line per call; `fields` are plain. */
export type Logger = Readonly<
  Record<"debug" | "info" | "warn" | "error", (fields: Readonly<Record<string, unknown>>, message: string) => void>
>;

/** What `open`, `serve` and `runImage` have in common. */
export interface RuntimeOptions {
  /** Whose instances. Default: `RUNTARA_TENANT_ID`, else "default". */
  tenantId?: string;
  /** An idle instance that nothing will wake for longer than this is put away: it costs no memory then, and its waking a replay. Default "5s". */
  suspendAfter?: Duration;
  /** How long running bodies may go on after `close`, or after the workflow has failed, before they are told to stop. Default "30s". */
  drain?: Duration;
  /** In memory at once: 1,000 instances; beyond that idle ones are put away early and starts queue. Bodies at once: 256, the rest wait in the order
   *  of their calls. */
  concurrency?: { instances?: number; steps?: number };
  /** Encryption and compression of values. The first writes, all read. Default none. */
  codecs?: readonly Codec[];
  /** Default: warnings and errors, as lines on stderr. */
  logger?: Logger;
  /** Warns, with file and line, where a workflow uses Date.now(), Math.random(), fetch … outside of steps. Slows the process. Default false. */
  guard?: boolean;
  /** Durable calls after awaiting something that is not durable are errors instead of warnings. Default false. */
  strictTurns?: boolean;
  /** SIGTERM and SIGINT close the runtime, a second one ends the process. Default: true in `serve`, false in `open`. */
  handleSignals?: boolean;
}
