import type { Disk } from "./disk.ts";

/** An instance as somebody outside can see it. */
interface Seen {
  readonly id: string;
  readonly workflow: string | null;
  readonly end: string;
  readonly published: readonly string[];
  readonly events: readonly string[];
}

/** Everything that the outside can see of all instances, in words. Equal words, equal worlds. */
export interface World {
  readonly seen: readonly Seen[];
}

/** Notes of the runtime itself; a crash may repeat them. */
const notes: ReadonlySet<string> = new Set(["abandoned", "runtara_divergence"]);

const decoder = new TextDecoder();
const textOf = (bytes: Uint8Array | null): string => (bytes === null ? "" : decoder.decode(bytes));

export async function worldOf(disk: Disk, tenantId: string): Promise<World> {
  const seen: Seen[] = [];
  let cursor: string | undefined;
  do {
    const page = await disk.run({
      kind: "queryInstances",
      tenantId,
      statuses: [],
      tags: {},
      limit: 1_000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    if (page.outcome !== "page") break;
    for (const { instanceId, workflow } of page.instances) seen.push(await look(disk, instanceId, workflow));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return { seen: seen.sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

async function look(disk: Disk, instanceId: string, workflow: string | null): Promise<Seen> {
  const read = await disk.run({ kind: "readInstance", instanceId });
  const published = await disk.run({ kind: "readPublished", instanceId });
  const events = await disk.run({ kind: "listEvents", instanceId, type: "custom", limit: 10_000 });
  return {
    id: instanceId,
    workflow,
    end: read.outcome === "found" ? endOf(read.instance) : "unknown",
    published:
      published.outcome === "found" ? published.values.map(({ key, value }) => `${key} = ${textOf(value)}`) : [],
    events:
      events.outcome === "page"
        ? events.events
            .filter(({ subtype }) => !notes.has(subtype ?? ""))
            .map(({ subtype, payload }) => `${subtype ?? ""} ${textOf(payload)}`)
            .reverse()
        : [],
  };
}

function endOf(instance: {
  readonly status: string;
  readonly reason: string | null;
  readonly output: Uint8Array | null;
  readonly error: string | null;
}): string {
  const { status, reason, output, error } = instance;
  // Stacks tell where the engine called a body from, which differs in a replay; the error's text does not.
  if (status === "completed") return `completed ${textOf(output)}`;
  return [status, status === "suspended" ? reason : undefined, error].filter((word) => word).join(", ");
}

/** The first difference, in two lines; undefined: there is none. */
export function differenceOf(
  expected: World,
  actual: World,
): { readonly expected: string; readonly actual: string } | undefined {
  const ids = new Set([...expected.seen, ...actual.seen].map(({ id }) => id));
  for (const id of ids) {
    const [one, other] = [find(expected, id), find(actual, id)];
    const what = `instance ${id} of ${one?.workflow ?? other?.workflow}`;
    if (one === undefined || other === undefined) {
      return {
        expected: `${what} ${one ? "exists" : "does not exist"}`,
        actual: `${what} ${other ? "exists" : "does not exist"}`,
      };
    }
    for (const aspect of ["end", "published", "events"] as const) {
      const [left, right] = [String(show(one[aspect])), String(show(other[aspect]))];
      if (left !== right) return { expected: `${what}: ${aspect}: ${left}`, actual: `${what}: ${aspect}: ${right}` };
    }
  }
  return undefined;
}

function find({ seen }: World, id: string): Seen | undefined {
  return seen.find((one) => one.id === id);
}

function show(value: string | readonly string[]): string {
  return typeof value === "string" ? value : `[${value.join(", ")}]`;
}
