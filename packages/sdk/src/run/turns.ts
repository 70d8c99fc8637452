/** Runs one turn of a run after the other. */
export interface Turns {
  /** True from the delivery that begins a turn until its microtasks are done. */
  readonly isInside: boolean;
  /** Asks for a turn; one that is already asked for serves. */
  schedule(): void;
}

/** How a run gets its turns: `begin` settles one promise, `end` runs when all that follows from it in microtasks is done. */
export type MakeTurns = (begin: () => void, end: () => void) => Turns;

/** One macrotask per turn. Two immediates queued in one breath run one after the other with nothing between them but the microtasks
 *  of the first, so the second is the exact end of the turn. */
export const macrotaskTurns: MakeTurns = (begin, end) => {
  const turns = { isInside: false, isScheduled: false, schedule };
  const start = (): void => {
    turns.isInside = true;
    begin();
  };
  const stop = (): void => {
    turns.isInside = false;
    turns.isScheduled = false;
    end();
  };
  function schedule(): void {
    if (turns.isScheduled) return;
    turns.isScheduled = true;
    setImmediate(start);
    setImmediate(stop);
  }
  return turns;
};
