import type { AnyWorkflow, Handle } from "@runtara/sdk/testing";
import { limits } from "./limits.ts";

/** What tells whether a test can still come to a result. */
interface Stage {
  readonly clock: { now(): number };
  readonly moves: number;
  readonly isQuiet: boolean;
  readonly isClosed: boolean;
}

/** A handle whose `result` says so when it waits for an end that can't come, because nobody lets time pass or sends a signal. */
export function impatient<W extends AnyWorkflow>(handle: Handle<W>, stage: Stage): Handle<W> {
  const result = handle.result.bind(handle);
  handle.result = async (options) => {
    const watch = watchFor(handle, stage);
    try {
      return await Promise.race([result(options), watch.stuck]);
    } finally {
      watch.end();
    }
  };
  return handle;
}

function watchFor<W extends AnyWorkflow>(handle: Handle<W>, stage: Stage): { stuck: Promise<never>; end(): void } {
  const { promise: stuck, reject } = Promise.withResolvers<never>();
  const place = (): string => `${stage.moves} ${stage.clock.now()}`;
  let [seen, sinceMs] = [place(), performance.now()];
  const timer = setInterval(() => {
    if (stage.isClosed) clearInterval(timer);
    else if (!stage.isQuiet || place() !== seen) [seen, sinceMs] = [place(), performance.now()];
    else if (performance.now() - sinceMs > limits.stuckMs) {
      clearInterval(timer);
      void describe(handle).then(reject);
    }
  }, limits.stuckLookMs);
  return { stuck, end: () => clearInterval(timer) };
}

async function describe<W extends AnyWorkflow>(handle: Handle<W>): Promise<Error> {
  const { status, reason, wakeAt, waitingFor = [] } = await handle.status();
  const why = [
    `instance ${handle.id} is ${status}${reason === undefined ? "" : ` (${reason})`}`,
    ...(wakeAt === undefined ? [] : [`until ${wakeAt.toISOString()}`]),
    ...(waitingFor.length === 0 ? [] : [`waiting for ${waitingFor.map((name) => JSON.stringify(name)).join(", ")}`]),
  ].join(", ");
  return new Error(
    `${why}, and nothing moves: the clock of the test stands still. Before asking for the result, let time pass (await test.advance("1h")) or send the signal`,
  );
}
