import type { MakeTurns } from "../run/control.ts";
import type { Rounds } from "./runtime.ts";

interface Turn {
  isInside: boolean;
  isAskedFor: boolean;
  schedule(): void;
  begin(): void;
  end(): void;
}

/** What is to be saved when the round is over. */
export interface Dirty {
  flush(): void;
}

/** The turns of all runs of a process, in rounds: what they save goes out together behind the last turn, so a round is one commit.
 *  `flushSource` is called once at the end of each round. */
export function createRounds(flushSource: () => void): Rounds {
  const rounds = new TurnRounds(flushSource);
  return { makeTurns: (begin, end) => rounds.make(begin, end), add: (dirty) => rounds.add(dirty) };
}

/**
 * The immediates of one breath run one after the other, with nothing between them but the microtasks of each. So a turn begins in one and
 * ends in the next, which begins the following turn of the round, too. The first two are queued when the round is asked for; only then is it
 * known how many more it takes.
 */
class TurnRounds {
  readonly #flushSource: () => void;
  #isArmed = false;
  #isRunning = false;
  #isFlushArmed = false;
  #asked: Turn[] = [];
  #round: Turn[] = [];
  #next = 0;
  #current: Turn | undefined;
  #dirty: Dirty[] = [];

  constructor(flushSource: () => void) {
    this.#flushSource = flushSource;
  }

  make: MakeTurns = (begin, end) => {
    const turn: Turn = {
      isInside: false,
      isAskedFor: false,
      begin,
      end,
      schedule: () => {
        if (turn.isAskedFor) return;
        turn.isAskedFor = true;
        this.#asked.push(turn);
        this.#arm();
      },
    };
    return turn;
  };

  add(dirty: Dirty): void {
    this.#dirty.push(dirty);
    if (this.#isArmed || this.#isRunning || this.#isFlushArmed) return;
    this.#isFlushArmed = true;
    setImmediate(this.#flushAlone);
  }

  #arm(): void {
    if (this.#isArmed || this.#isRunning) return;
    this.#isArmed = true;
    setImmediate(this.#beginRound);
    setImmediate(this.#endFirst);
  }

  readonly #beginRound = (): void => {
    this.#isArmed = false;
    this.#isRunning = true;
    this.#round = this.#asked;
    this.#asked = [];
    this.#next = 0;
    this.#beginTurn();
  };

  readonly #endFirst = (): void => {
    this.#endTurn();
    const { length } = this.#round;
    if (length === 1) this.#endRound();
    else for (let count = 0; count < length; count++) setImmediate(this.#advance);
  };

  /** Ends a turn and begins the next one; the last ends the round. */
  readonly #advance = (): void => {
    this.#endTurn();
    if (this.#next < this.#round.length) this.#beginTurn();
    else this.#endRound();
  };

  #beginTurn(): void {
    const turn = this.#round[this.#next++] as Turn;
    this.#current = turn;
    turn.isInside = true;
    turn.begin();
  }

  #endTurn(): void {
    const turn = this.#current;
    if (turn === undefined) return;
    this.#current = undefined;
    turn.isInside = false;
    turn.isAskedFor = false;
    turn.end();
  }

  #endRound(): void {
    this.#isRunning = false;
    this.#round = [];
    this.#flush();
    if (this.#asked.length > 0) this.#arm();
  }

  readonly #flushAlone = (): void => {
    this.#isFlushArmed = false;
    if (!this.#isArmed && !this.#isRunning) this.#flush();
  };

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const one of dirty) one.flush();
    this.#flushSource();
  }
}
