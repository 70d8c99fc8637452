// What a load has been promised, so that it can be held against the store afterwards.

/** Checkpoints of one instance are saved one after the other, so two numbers say everything about it. */
interface Lane {
  /** Up to here everything was acknowledged. */
  acknowledged: number;
  /** Up to here something was sent; at most one more than acknowledged. */
  sent: number;
}

export interface Verdict {
  /** Acknowledged checkpoints that were held against the store. */
  readonly checked: number;
  /** Acknowledged and gone. */
  readonly lost: number;
  /** There with other bytes, acknowledged or not. */
  readonly torn: number;
}

/** Promises of one campaign. */
export class Ledger {
  readonly #lanes: Lane[];
  readonly #stateBytes: number;
  readonly #prefix: string;
  #torn = 0;

  constructor(lanes: number, stateBytes: number, prefix: string) {
    this.#lanes = Array.from({ length: lanes }, () => ({ acknowledged: 0, sent: 0 }));
    this.#stateBytes = stateBytes;
    this.#prefix = prefix;
  }

  get lanes(): number {
    return this.#lanes.length;
  }

  /** Acknowledged checkpoints of all lanes. */
  get acknowledged(): number {
    return this.#lanes.reduce((total, lane) => total + lane.acknowledged, 0);
  }

  instanceId(lane: number): string {
    return `${this.#prefix}-${lane}`;
  }

  /** The bytes that this checkpoint has and no other. */
  state(lane: number, number: number): Uint8Array {
    const state = new Uint8Array(this.#stateBytes);
    const view = new DataView(state.buffer);
    for (let at = 0; at + 8 <= state.length; at += 8) {
      view.setUint32(at, lane * 65_537 + at);
      view.setUint32(at + 4, number);
    }
    return state;
  }

  /** The number to send next: the one in doubt again, or a new one. */
  next(lane: number): number {
    const state = this.#lane(lane);
    state.sent = state.acknowledged + 1;
    return state.sent;
  }

  /** `stored`: the bytes that were there already, if it was found. */
  answered(lane: number, number: number, stored: Uint8Array | undefined): void {
    if (stored !== undefined && !equal(stored, this.state(lane, number))) this.#torn++;
    this.#lane(lane).acknowledged = number;
  }

  /** Holds every promise against what `read` finds; undefined = not there. */
  async verify(read: (lane: number, number: number) => Promise<Uint8Array | undefined>): Promise<Verdict> {
    let checked = 0;
    let lost = 0;
    let torn = this.#torn;
    const verifyLane = async ({ acknowledged, sent }: Lane, lane: number): Promise<void> => {
      for (let number = 1; number <= sent; number++) {
        const stored = await read(lane, number);
        if (number <= acknowledged) checked++;
        if (stored === undefined) lost += number <= acknowledged ? 1 : 0;
        else if (!equal(stored, this.state(lane, number))) torn++;
      }
    };
    await Promise.all(this.#lanes.map(verifyLane));
    return { checked, lost, torn };
  }

  #lane(lane: number): Lane {
    const found = this.#lanes[lane];
    if (found === undefined) throw new RangeError(`lane ${lane} of ${this.#lanes.length}`);
    return found;
  }
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
