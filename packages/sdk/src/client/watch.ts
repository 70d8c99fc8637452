import type { Change } from "../api/client.ts";
import { limits } from "../limits.ts";
import type { WatchedChange } from "../ports/operator.ts";
import { entryOf } from "./entries.ts";
import type { HistoryParts } from "./history.ts";
import { stateOf } from "./state.ts";

/** What happens to an instance from now on, beginning with how it is; ends with the instance, or quietly when the signal aborts. */
export async function* watchInstance(
  parts: HistoryParts,
  instanceId: string,
  what: string,
  signal: AbortSignal,
): AsyncGenerator<Change> {
  const { operator, calls } = parts;
  let cursor: string | undefined;
  while (!signal.aborted) {
    const at = cursor;
    const poll = () => operator.watch(instanceId, at, limits.clientPollMs, signal);
    const seen = await calls.until(what, Number.POSITIVE_INFINITY, signal, poll).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (!seen) return;
    const { changes, nextCursor, ended } = seen;
    for (const change of changes) {
      if (signal.aborted) return;
      yield await changeOf(change, parts, instanceId);
    }
    if (ended) return;
    cursor = nextCursor;
  }
}

async function changeOf(change: WatchedChange, parts: HistoryParts, instanceId: string): Promise<Change> {
  const at = new Date(change.atMs);
  switch (change.kind) {
    case "details":
      return { kind: "state", at, state: stateOf(change.details, parts.calls.clock.now()) };
    case "published": {
      const { key, value } = change.value;
      const place = { tenantId: parts.tenantId, instanceId, id: `!published:${key}` };
      return { kind: "published", at, key, value: await parts.wrapper.unwrap(value, place) };
    }
    case "history":
      return { kind: "entry", at, entry: await entryOf(change.entry, { ...parts, instanceId }) };
  }
}
