import type { Log } from "../api/context.ts";
import type { RunHost } from "./host.ts";

/** The log of a run: each line once, so a replay is silent. */
export function logOf(host: Pick<RunHost, "facts" | "logger" | "isReplaying">): Log {
  const { workflow, instanceId, run } = host.facts;
  const at =
    (level: keyof Log): Log["info"] =>
    (message, fields) => {
      if (!host.isReplaying) host.logger[level]({ workflow, instanceId, run, ...fields }, message);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
