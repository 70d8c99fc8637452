import { limits } from "../limits.ts";
import type { QueuedSignal } from "../ports/source.ts";
import { validate } from "../schema.ts";
import { storeValue } from "../values/index.ts";
import { thrownText } from "../values/thrown-text.ts";
import type { InboxPart, RunHost, SignalWait } from "./host.ts";
import { escapeText, nameOfId } from "./keys.ts";
import { type ChildReport, endOfChild, isEndOfChild } from "./operations/child-end.ts";
import { storeError } from "./store-error.ts";

type InboxHost = Pick<
  RunHost,
  | "facts"
  | "rootScope"
  | "isLive"
  | "hasEnded"
  | "isReplaying"
  | "record"
  | "expect"
  | "readPayload"
  | "busyWith"
  | "emit"
  | "tell"
>;

type Outcome = "value" | "error";

/** A signal that was delivered and that no wait has taken. */
interface Delivered {
  readonly order: number;
  readonly outcome: Outcome;
  readonly value: unknown;
}

/** All about the signals of one name. */
interface Channel {
  readonly name: string;
  /** Newest last. */
  readonly waits: SignalWait[];
  /** Oldest first. */
  readonly delivered: Delivered[];
  /** Entries that were recorded, or met in a replay: the number of the next follows from it. */
  entries: number;
  /** Waits of this run that named it, and signals that were delivered. */
  waitsMade: number;
  valuesDelivered: number;
  /** A signal of this name is being read or saved. One at a time, so that their order is the order of sending. */
  isUnderWay: boolean;
}

/**
 * The signals of one run: who waits for which, and what has come that nobody waited for any more. A signal is taken out of the store only
 * while more waits are armed than signals are on their way; it goes to the newest wait of its name, because the usual older one is the loser
 * of an earlier race.
 */
export class Inbox implements InboxPart {
  readonly #host: InboxHost;
  readonly #channels = new Map<string, Channel>();
  /** In the order of the calls. */
  readonly #waits = new Set<SignalWait>();
  readonly #underWay = new Set<Channel>();
  readonly #consumed: Map<string, number>;
  #order = 0;
  #wanted: readonly string[] = [];
  #isStale = false;

  /** `carried`: what earlier runs of the instance had taken and not used, oldest first. `consumed`: by name the signal that this process consumed
   *  last, in this run or an earlier one: it comes again with an answer that was under way meanwhile. */
  constructor(host: InboxHost, carried: InboxPart["contents"], consumed: Map<string, number> = new Map()) {
    this.#host = host;
    this.#consumed = consumed;
    for (const { name, value } of carried) this.#keep(this.#channel(name), "value", value);
  }

  // ---- for waits

  add(wait: SignalWait): void {
    const channels = wait.names.map((name) => this.#channel(name));
    for (const channel of channels) {
      channel.waitsMade++;
      if (this.#host.isReplaying && channel.waitsMade === 1) this.#host.expect(this.#nextId(channel));
    }
    const source = oldestOf(channels);
    const taken = source?.delivered.shift();
    if (source && taken) {
      wait.take(source.name, taken.outcome, taken.value);
      return;
    }
    this.#waits.add(wait);
    for (const channel of channels) channel.waits.push(wait);
    this.#isStale = true;
  }

  /** It waits no longer. Nothing for one that does not wait. */
  remove(wait: SignalWait): void {
    if (!this.#waits.delete(wait)) return;
    for (const name of wait.names) {
      const { waits } = this.#channel(name);
      waits.splice(waits.lastIndexOf(wait), 1);
    }
    this.#isStale = true;
  }

  // ---- for the run

  /** Names for which more waits are armed than signals are on their way, those of the newest waits first. */
  get wanted(): readonly string[] {
    if (!this.#isStale) return this.#wanted;
    this.#isStale = false;
    const names = this.#unmet();
    const isSame = names.length === this.#wanted.length && names.every((name, index) => name === this.#wanted[index]);
    if (!isSame) this.#wanted = names;
    return this.#wanted;
  }

  get contents(): InboxPart["contents"] {
    return [...this.#channels.values()]
      .filter(({ name }) => !isEndOfChild(name))
      .flatMap(({ name, delivered }) => delivered.map(({ order, value }) => ({ name, value, order })))
      .sort((a, b) => a.order - b.order)
      .map(({ name, value }) => ({ name, value }));
  }

  arrived(signals: readonly QueuedSignal[]): void {
    for (const signal of signals) {
      const channel = this.#channels.get(signal.name);
      if (!channel || this.#isConsumed(signal) || !this.wanted.includes(signal.name)) continue;
      this.#setUnderWay(channel, true);
      this.#read(channel, signal);
    }
  }

  expects(id: string): boolean {
    const channel = this.#channels.get(nameOfEntry(id));
    return channel !== undefined && channel.valuesDelivered < channel.waitsMade;
  }

  deliver(id: string, outcome: Outcome, value: unknown): void {
    const channel = this.#channel(nameOfEntry(id));
    if (channel.isUnderWay) this.#setUnderWay(channel, false);
    else channel.entries++;
    if (this.#host.isReplaying) this.#host.expect(this.#nextId(channel));
    if (outcome === "error" && !isEndOfChild(channel.name)) {
      this.#tellRejected(channel.name, value as Error);
      return;
    }
    channel.valuesDelivered++;
    const wait = channel.waits.at(-1);
    if (!wait) {
      this.#keep(channel, outcome, value);
      return;
    }
    this.remove(wait);
    // A child ends once; nothing more comes under its name.
    if (isEndOfChild(channel.name)) this.#channels.delete(channel.name);
    wait.take(channel.name, outcome, value);
  }

  // ---- inner parts

  #channel(name: string): Channel {
    const known = this.#channels.get(name);
    if (known) return known;
    const channel: Channel = {
      name,
      waits: [],
      delivered: [],
      entries: 0,
      waitsMade: 0,
      valuesDelivered: 0,
      isUnderWay: false,
    };
    this.#channels.set(name, channel);
    return channel;
  }

  #isConsumed({ name, signalId }: QueuedSignal): boolean {
    return signalId <= (this.#consumed.get(name) ?? Number.NEGATIVE_INFINITY);
  }

  #noteConsumed(name: string, signalId: number): void {
    this.#consumed.delete(name);
    this.#consumed.set(name, signalId);
    if (this.#consumed.size <= limits.consumedNamesMax) return;
    const [oldest] = this.#consumed.keys();
    this.#consumed.delete(oldest ?? "");
  }

  #keep(channel: Channel, outcome: Outcome, value: unknown): void {
    channel.delivered.push({ order: this.#order++, outcome, value });
  }

  #setUnderWay(channel: Channel, isUnderWay: boolean): void {
    channel.isUnderWay = isUnderWay;
    if (isUnderWay) this.#underWay.add(channel);
    else this.#underWay.delete(channel);
    this.#isStale = true;
  }

  #unmet(): readonly string[] {
    // Who will get what is under way.
    const served = new Set<SignalWait>();
    for (const { waits } of this.#underWay) {
      const wait = waits.findLast((candidate) => !served.has(candidate));
      if (wait) served.add(wait);
    }
    const names = new Set<string>();
    for (const wait of [...this.#waits].reverse()) {
      if (served.has(wait)) continue;
      for (const name of wait.names) {
        if (names.size >= limits.awaitedNamesMax) return [...names];
        if (!this.#channels.get(name)?.isUnderWay) names.add(name);
      }
    }
    return [...names];
  }

  #nextId({ name, entries }: Channel): string {
    if (isEndOfChild(name)) return name;
    const id = `${this.#host.rootScope.prefix}${escapeText(name)}!signal`;
    return entries === 0 ? id : `${id}~${entries + 1}`;
  }

  #read(channel: Channel, { signalId, payload }: QueuedSignal): void {
    const { name } = channel;
    const { signals } = this.#host.facts;
    const schema = Object.hasOwn(signals, name) ? signals[name] : undefined;
    const child = channel.waits.at(-1)?.child;
    const record = (value: unknown): void => {
      if (child === undefined) {
        this.#write(channel, signalId, "value", value);
      } else {
        const end = endOfChild(value as ChildReport, child);
        this.#write(channel, signalId, end.outcome, end.value);
      }
    };
    // What can't be read, or does not fit its schema, is consumed all the same; the wait goes on.
    const reject = (error: unknown): void => this.#write(channel, signalId, "error", error);
    let read: unknown;
    try {
      read = this.#host.readPayload(name, payload, child);
    } catch (error) {
      reject(error);
      return;
    }
    if (!schema && !(read instanceof Promise)) {
      record(read);
      return;
    }
    const checked = Promise.resolve(read).then((value) =>
      schema ? validate(schema, value, `the payload of signal ${JSON.stringify(name)}`) : value,
    );
    void this.#host.busyWith(checked.then(record, reject));
  }

  #write(channel: Channel, signalId: number, outcome: Outcome, value: unknown): void {
    // What is not recorded is not consumed: it waits in the store for the next run.
    if (!this.#host.isLive || this.#host.hasEnded) return;
    // Perhaps nobody waits for it any more: then it stays in the store.
    if (channel.waits.length === 0) {
      this.#setUnderWay(channel, false);
      return;
    }
    const stored = this.#store(channel.name, outcome, value);
    const id = this.#nextId(channel);
    channel.entries++;
    const kind = isEndOfChild(channel.name) ? "child" : "signal";
    // The name of a child's end is awaited in one run only, and never again.
    if (kind === "signal") this.#noteConsumed(channel.name, signalId);
    this.#host.record({ id, kind, ...stored, consumesSignalId: signalId });
  }

  #store(
    name: string,
    outcome: Outcome,
    value: unknown,
  ): { outcome: Outcome; text: string | undefined; value: unknown } {
    const what = `signal ${JSON.stringify(name)}`;
    if (outcome === "value") {
      try {
        const origin = { root: "payload", describe: () => `${what} brought` };
        return { outcome, text: value === undefined ? undefined : storeValue(value, origin), value };
      } catch (error) {
        // A schema can make what can't be kept.
        return this.#store(name, "error", error);
      }
    }
    const { text, error } = storeError(value, () => what);
    return { outcome, text, value: error };
  }

  #tellRejected(name: string, error: Error): void {
    const text = thrownText(error).slice(0, limits.noteTextCharsMax);
    this.#host.emit("signal_rejected", JSON.stringify({ name, error: text }));
    if (!this.#host.isReplaying) this.#host.tell({ type: "signalRejected", name, error });
  }
}

/** The one whose oldest signal was delivered first. */
function oldestOf(channels: readonly Channel[]): Channel | undefined {
  let oldest: Channel | undefined;
  for (const channel of channels) {
    const order = channel.delivered[0]?.order ?? Number.POSITIVE_INFINITY;
    if (order < (oldest?.delivered[0]?.order ?? Number.POSITIVE_INFINITY)) oldest = channel;
  }
  return oldest;
}

/** The name of a signal from the id of its entry. */
function nameOfEntry(id: string): string {
  return isEndOfChild(id) ? id : nameOfId(id);
}
