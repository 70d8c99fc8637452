import { UnreadableValueError } from "../errors.ts";
import { SourceError } from "../ports/source-error.ts";
import type { RunEnd, RunOptions } from "../run/control.ts";
import { outcomeOf, readEnvelope } from "../run/envelope.ts";
import type { RunFacts } from "../run/host.ts";
import { runPrefix } from "../run/keys.ts";
import { ListReplay } from "../run/list-replay.ts";
import { divergenceError } from "../run/report.ts";
import { nextIdOf, startId } from "../run/system-ids.ts";
import { validate } from "../schema.ts";
import { readValue, storeValue } from "../values/index.ts";
import type { WorkflowDefinition } from "../workflow.ts";
import { ListedHistory, type ListedHistoryParts } from "./listed-history.ts";
import type { RunHistory, RuntimeParts } from "./runtime.ts";
import { contextOf, listRows, openEntry, type RowReader, readRow, type StoredRow, sentBefore } from "./stored-rows.ts";

export interface LoadRequest {
  readonly definition: WorkflowDefinition;
  /** With the session. */
  readonly parts: ListedHistoryParts;
  readonly sparse: RuntimeParts["sparse"];
}

/** What a run begins with; or the instance ends without one, because its input does not fit or can't be read. */
export type Loaded =
  | {
      readonly is: "run";
      readonly history: RunHistory;
      readonly facts: RunFacts;
      readonly input: unknown;
      readonly inbox: RunOptions["inbox"];
    }
  | { readonly is: "end"; readonly end: RunEnd };

/** How an instance is loaded. Rejects with SourceError: fenced, over, closed. */
type LoadRun = (request: LoadRequest) => Promise<Loaded>;

/** A fresh instance is not read at all; another one in pages, from the beginning of its run. */
export const loadInstance: LoadRun = async (request) => {
  const { parts, sparse } = request;
  const { facts } = parts.session.work;
  const reader = readerOf(request);
  try {
    if (!parts.session.serves.batches) return await loadSparse(request, sparse);
    if (facts.run > 1) return await loadContinued(request, reader);
    if (facts.checkpointCount === 0) return await beginRun(request, facts, await givenInput(request));
    const stored = await listRows(reader, 1, undefined);
    const input = stored.start ? await storedInput(reader, stored.start) : await givenInput(request);
    return resumed(request, facts, await leftOf(reader, stored), input, []);
  } catch (error) {
    if (error instanceof UnreadableValueError) return unreadable(request, error);
    throw error;
  }
};

/** The next run of an instance that has just continued as new. */
export function loadNext(
  request: LoadRequest,
  { input, inbox, at }: Extract<RunEnd, { readonly is: "continued" }>,
  run: number,
): Promise<Loaded> {
  return beginRun(request, { run, firstStartedAtMs: at }, input, inbox);
}

/** Where entries can't be listed, whoever made the session knows how to look them up; the input was checked when the instance was started. */
async function loadSparse(request: LoadRequest, sparse: LoadRequest["sparse"]): Promise<Loaded> {
  if (sparse === undefined) {
    const feature = "checkpoint-batch";
    throw new SourceError("UNSUPPORTED", `the server does not serve ${feature}`, { feature });
  }
  const { facts } = request.parts.session.work;
  const input = await givenInput(request);
  return { is: "run", history: await sparse(request.parts), facts: factsOf(request, facts), input, inbox: [] };
}

interface Beginning {
  readonly run: number;
  readonly firstStartedAtMs: number;
}

async function loadContinued(request: LoadRequest, reader: RowReader): Promise<Loaded> {
  const { facts } = request.parts.session.work;
  const nextId = nextIdOf(facts.run - 1);
  const [next, stored] = await Promise.all([
    reader.persistence.repeat(reader.asker, () => reader.session.find(nextId)),
    listRows(reader, facts.run, nextId),
  ]);
  if (next === undefined)
    throw new UnreadableValueError(`the entry ${nextId}, with which run ${facts.run} began, is gone`);
  const text = await openEntry(next, reader.sealer, contextOf(reader.session, nextId));
  const envelope = readEnvelope(text);
  const { input: given, inbox } = outcomeOf(envelope) as { input?: unknown; inbox: RunOptions["inbox"] };
  const begun = { run: facts.run, firstStartedAtMs: envelope.at };
  const isFresh = stored.rows.length === 0 && stored.retries.size === 0;
  if (isFresh && !stored.start) return beginRun(request, begun, given, inbox);
  const input = stored.start ? await storedInput(reader, stored.start) : given;
  return resumed(request, begun, isFresh ? undefined : await leftOf(reader, stored), input, inbox);
}

/** The first life of a run: its input is checked, and stored if the schema has changed it. */
async function beginRun(
  request: LoadRequest,
  begun: Beginning,
  given: unknown,
  inbox: RunOptions["inbox"] = [],
): Promise<Loaded> {
  const facts = factsOf(request, begun);
  const history = new ListedHistory(request.parts);
  let changed: string | undefined;
  try {
    changed = await changedInput(request.definition, given);
  } catch (error) {
    return { is: "end", end: { is: "threw", error } };
  }
  if (changed === undefined) return { is: "run", history, facts, input: given, inbox };
  await saveStart(history, `${runPrefix(facts.run)}${startId}`, begun.firstStartedAtMs, changed);
  return { is: "run", history, facts, input: (readValue(changed) as { input?: unknown }).input, inbox };
}

/** The payload of `!start`, if the schema has made something else of the input. @throws ValidationError, ConfigError, UnstorableValueError */
async function changedInput({ name, schema }: WorkflowDefinition, given: unknown): Promise<string | undefined> {
  if (schema === undefined) return undefined;
  const origin = { root: "input", describe: () => `workflow ${JSON.stringify(name)} was started with` };
  // Before a schema can touch it.
  const before = storeValue({ input: given }, origin);
  const input = await validate(schema, given, `input of workflow ${JSON.stringify(name)}`);
  const text = storeValue({ input }, origin);
  return text === before ? undefined : text;
}

function saveStart(history: ListedHistory, id: string, at: number, payload: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const head = { seq: 0, at, kind: "start" } as const;
    history.save(
      { id, head, outcome: "value", payload },
      { saved: () => resolve(), refused: (_entry, error) => reject(error) },
    );
  });
}

function resumed(
  request: LoadRequest,
  begun: Beginning,
  left: ConstructorParameters<typeof ListedHistory>[1],
  input: unknown,
  inbox: RunOptions["inbox"],
): Loaded {
  return { is: "run", history: new ListedHistory(request.parts, left), facts: factsOf(request, begun), input, inbox };
}

async function leftOf(reader: RowReader, { rows, retries }: Awaited<ReturnType<typeof listRows>>) {
  const sent = await sentBefore(reader, rows);
  const replay = new ListReplay<StoredRow>(rows, (row) => readRow(reader, row), sent);
  return { replay, retries };
}

async function storedInput(reader: RowReader, start: StoredRow): Promise<unknown> {
  const envelope = readEnvelope(await readRow(reader, start));
  return (outcomeOf(envelope) as { input?: unknown }).input;
}

async function givenInput({ parts: { session, wrapper } }: LoadRequest): Promise<unknown> {
  return wrapper.unwrap(session.work.facts.input, contextOf(session, "!input"));
}

function readerOf({ parts }: LoadRequest): RowReader {
  const { session, sealer, persistence, asker } = parts;
  return { session, sealer, persistence, asker };
}

function factsOf({ definition, parts }: LoadRequest, { run, firstStartedAtMs }: Beginning): RunFacts {
  const { instanceId, tenantId, facts } = parts.session.work;
  const { name, signals, published } = definition;
  return {
    workflow: name,
    version: facts.version ?? undefined,
    instanceId,
    tenantId,
    run,
    startedAt: firstStartedAtMs,
    seed: Buffer.from(facts.seed).toString("hex"),
    signals,
    published,
  };
}

/** Nothing is wrong with the instance, but this code can't begin: it waits, visibly, until one can. */
function unreadable({ definition, parts }: LoadRequest, cause: Error): Loaded {
  const { instanceId, facts } = parts.session.work;
  const error = divergenceError(
    {
      workflow: definition.name,
      instanceId,
      entry: 1,
      entries: facts.checkpointCount,
      history: { checkpointId: facts.run > 1 ? nextIdOf(facts.run - 1) : startId, kind: "start", name: "input" },
      code: { does: "waits" },
      note: `The input can't be read: ${cause.message}.`,
    },
    cause,
  );
  return { is: "end", end: { is: "diverged", error } };
}
