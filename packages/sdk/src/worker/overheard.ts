import type { InstanceSession, PendingSignal, Suspension } from "../ports/source.ts";

/** What passes through a session, for whoever runs the instance. */
export interface Listener {
  onSignal(signal: PendingSignal): void;
  /** A checkpoint that is stored: the last one told is the newest. */
  onStored(checkpointId: string): void;
  /** The core has let the process go. */
  onSuspended(suspension: Suspension): void;
}

/** The same session; signals in its answers and its suspension are told. */
export function overheard(session: InstanceSession, listener: Listener): InstanceSession {
  const { work, serves } = session;
  return {
    work,
    serves,
    save: (batch, done) =>
      session.save(batch, (...outcome) => {
        const newest = outcome[1] && batch.entries.at(-1);
        if (newest) listener.onStored(newest.checkpointId);
        if (outcome[1]?.signal) listener.onSignal(outcome[1].signal);
        done(...outcome);
      }),
    async list(page) {
      const listed = await session.list(page);
      const newest = listed.checkpoints.at(-1);
      if (newest) listener.onStored(newest.checkpointId);
      return listed;
    },
    find: (checkpointId) => session.find(checkpointId),
    recordRetry: (record) => session.recordRetry(record),
    async suspendUntil(suspension) {
      const answer = await session.suspendUntil(suspension);
      if (answer.suspended) listener.onSuspended(suspension);
      else if (answer.signal) listener.onSignal(answer.signal);
      return answer;
    },
    startChild: (child) => session.startChild(child),
    note: (subtype, payload) => session.note(subtype, payload),
    acknowledge: (type) => session.acknowledge(type),
    report: (report) => session.report(report),
    heartbeat: () => session.heartbeat(),
  };
}
