import type { InstanceSignals, OpenPoll, SignalInterest, WaitSignalsRequest } from "../../ports/source.ts";
import { openPoll } from "../remote/open-poll.ts";
import type { InstanceLink } from "./instance-link.ts";
import type { Slots } from "./slots.ts";

export interface PollOptions {
  readonly link: InstanceLink;
  readonly slots: Slots;
  /** 0 = the core is not asked; cancel and pause still come with answers to checkpoints. */
  readonly intervalMs: number;
}

/** Waits for signals to the one instance of this process by asking for them again and again, as the base protocol has it. */
export function signalPolls({
  link,
  slots,
  intervalMs,
}: PollOptions): (request: WaitSignalsRequest) => OpenPoll<readonly InstanceSignals[]> {
  let interest: SignalInterest | undefined;
  return ({ interests, replacesAll, waitMs }) => {
    const mine = interests.find(({ instanceId }) => instanceId === link.instanceId);
    if (mine) interest = mine.ended ? undefined : mine;
    else if (replacesAll) interest = undefined;
    return openPoll(async (signal) => {
      const deadline = performance.now() + waitMs;
      for (;;) {
        const found = interest && (await look(link, slots, interest, intervalMs > 0));
        const leftMs = deadline - performance.now();
        if (found || signal.aborted || leftMs <= 0) return found ? [found] : [];
        await link.pause(Math.min(leftMs, intervalMs > 0 ? intervalMs : leftMs));
      }
    });
  };
}

async function look(
  link: InstanceLink,
  slots: Slots,
  { instanceId, names, seenSignal }: SignalInterest,
  mayAsk: boolean,
): Promise<InstanceSignals | undefined> {
  let signal: InstanceSignals["signal"];
  if (mayAsk) {
    const missing = names.filter((name) => !slots.has(name));
    const answers = await Promise.all(missing.length === 0 ? [link.poll()] : missing.map((name) => link.poll(name)));
    for (const answer of answers) {
      signal ??= answer.signal;
      if (answer.customSignal) slots.put(answer.customSignal.checkpointId, answer.customSignal.payload);
    }
  }
  if (signal?.type === seenSignal) signal = undefined;
  const queued = slots.of(names);
  if (!signal && queued.length === 0) return undefined;
  return { instanceId, fenced: false, signal, queued };
}
