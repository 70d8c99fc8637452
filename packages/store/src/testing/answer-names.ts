import type { Operation } from "@runtara/store";

/** What one store calls what the first store calls otherwise. */
export interface AnswerNames {
  readonly cursors: Map<string, string>;
  readonly signals: Map<number, number>;
}

/** For so many stores, before any has answered. */
export function answerNames(stores: number): readonly AnswerNames[] {
  return Array.from({ length: stores }, () => ({ cursors: new Map(), signals: new Map() }));
}

/** The answer with those lists in order whose order the port leaves open. */
export function canonical({ kind }: Operation, answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null) return answer;
  switch (kind) {
    case "claimWork":
      return sorted(answer, ["work"]);
    case "readSignals":
      return sorted(answer, ["instances"]);
    case "fireDue":
      return sorted(answer, ["timedOut", "lost", "abandoned"]);
    case "renewLease":
      return sorted(answer, ["lost"]);
    default:
      return answer;
  }
}

function sorted(answer: object, lists: readonly string[]): object {
  return Object.fromEntries(
    Object.entries(answer).map(([name, member]) => [
      name,
      lists.includes(name) && Array.isArray(member) ? member.toSorted(byId) : member,
    ]),
  );
}

function byId(a: unknown, b: unknown): number {
  return idOf(a) < idOf(b) ? -1 : 1;
}

function idOf(item: unknown): string {
  return typeof item === "object" && item !== null && "instanceId" in item ? String(item.instanceId) : String(item);
}

/**
 * The answer of another store with the names of the first one: a cursor or a signal id that stands where the first store's answer has one
 * for the first time means the same from then on.
 */
export function renamed(expected: unknown, actual: unknown, names: AnswerNames): unknown {
  if (typeof actual !== "object" || actual === null || actual instanceof Uint8Array) return actual;
  if (typeof expected !== "object" || expected === null || Array.isArray(expected) !== Array.isArray(actual))
    return actual;
  const model = expected as Readonly<Record<string, unknown>>;
  if (Array.isArray(actual)) return actual.map((item, index) => renamed(model[index], item, names));
  const entries = Object.entries(actual).map(([name, member]) => [
    name,
    renamedMember(name, model[name], member, names),
  ]);
  return Object.fromEntries(entries);
}

function renamedMember(name: string, expected: unknown, actual: unknown, names: AnswerNames): unknown {
  if (name === "signalId" && typeof expected === "number" && typeof actual === "number")
    return known(names.signals, expected, actual);
  if (name === "nextCursor" && typeof expected === "string" && typeof actual === "string") {
    names.cursors.set(expected, actual);
    return expected;
  }
  return renamed(expected, actual, names);
}

/** The first store's name if both mean the same. */
function known(signals: Map<number, number>, expected: number, actual: number): number {
  const meant = signals.get(expected);
  if (meant === undefined) signals.set(expected, actual);
  return meant === undefined || meant === actual ? expected : actual;
}
