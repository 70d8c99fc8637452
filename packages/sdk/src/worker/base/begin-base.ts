import { randomBytes } from "node:crypto";
import { ConfigError, FencedError, ValidationError } from "../../errors.ts";
import type { StartFacts } from "../../ports/source.ts";
import { codedOf, opened } from "../../run/envelope.ts";
import { startId } from "../../run/system-ids.ts";
import { systemClock } from "../../run/timers.ts";
import { validate } from "../../schema.ts";
import type { CodecContext, Sealer, Wrapper } from "../../values/codec-port.ts";
import type { WorkflowDefinition } from "../../workflow.ts";
import type { Beginning } from "../begun.ts";
import { endedOutcome, endOf, type Outcome } from "../outcome.ts";
import { checkSameStart, foreignInstance, readStart, type Start, startPayload, writeStart } from "../start-entry.ts";
import { BaseSession } from "./base-session.ts";
import type { InstanceLink } from "./instance-link.ts";
import { signalPolls } from "./poll-signals.ts";
import { Slots } from "./slots.ts";
import { SparseHistory } from "./sparse-history.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

export interface BaseParts {
  readonly link: InstanceLink;
  readonly definition: WorkflowDefinition;
  readonly sealer: Sealer;
  readonly wrapper: Wrapper;
  /** Of a new instance. */
  readonly input: unknown;
  /** What an existing instance must have been started with; undefined: anything. */
  readonly claim: { readonly input: unknown } | undefined;
  /** How often signals are asked for; 0 = never. */
  readonly pollIntervalMs: number;
  /** See BaseSession. */
  readonly onSleep: ((untilMs: number) => void) | undefined;
}

/** Registers the instance over 1.4.1 as it is; what a run must know beforehand is kept in its first checkpoint. */
export async function beginBase(parts: BaseParts): Promise<Beginning> {
  const { link, onSleep } = parts;
  const status = await link.status();
  const newestId = status.checkpointId;
  const outcome = await endedOutcome(endOf(status), link, parts.wrapper, true);
  const earlier = outcome || newestId !== undefined ? await earlierStart(parts) : undefined;
  if (outcome) return { outcome };
  if (newestId !== undefined && !earlier) throw foreignInstance(link.instanceId);
  // Before it is registered, so that an input that can't be stored leaves nothing behind.
  const prepared = earlier ? undefined : await prepareStart(parts);
  const ended = await register(parts);
  if (ended) return { outcome: ended };
  const start = earlier ?? (await saveStart(parts, prepared ?? ""));
  const { instanceId, tenantId } = link;
  const slots = new Slots();
  const facts = await factsOf(start, parts, newestId);
  const session = new BaseSession({ link, slots, work: { instanceId, tenantId, facts }, onSleep });
  if (start.error !== undefined) return { outcome: await fail(session, start.error) };
  return {
    session,
    isResumed: newestId !== undefined,
    newestId: newestId ?? startId,
    waitSignals: signalPolls({ link, slots, intervalMs: parts.pollIntervalMs }),
    sparse: (history) => SparseHistory.load(history, newestId),
  };
}

/** The input was refused by its schema. */
async function fail(session: BaseSession, thrown: unknown): Promise<Outcome> {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
  await session.report({ is: "failed", error: `${error.name}: ${error.message}`, failure: new Uint8Array(0) });
  return { instanceId: session.work.instanceId, earlier: false, status: "failed", error };
}

async function factsOf(
  { input, startedAt, seed }: Start,
  { definition: { name, version }, link: { instanceId, tenantId }, wrapper }: BaseParts,
  newestId: string | undefined,
): Promise<StartFacts> {
  const at = { instanceId, tenantId, id: "!input" };
  return {
    // The base protocol has none.
    epoch: 1,
    checkpointCount: newestId === undefined ? 0 : 1,
    input: (await wrapper.wrap(input, at, `workflow ${JSON.stringify(name)} was started with`)) ?? null,
    firstStartedAtMs: startedAt,
    seed: Buffer.from(seed, "hex"),
    run: 1,
    workflow: name,
    version: version ?? null,
    parentInstanceId: null,
    signal: undefined,
  };
}

/** The outcome, when the instance has ended since its status was read. @throws ConfigError for any other refusal */
async function register({ link, wrapper }: BaseParts): Promise<Outcome | undefined> {
  const refusal = await link.register();
  if (refusal === undefined) return undefined;
  const ended = await endedOutcome(endOf(await link.status()), link, wrapper, true);
  if (ended) return ended;
  throw new ConfigError(`the core does not register instance ${link.instanceId}: ${refusal}`);
}

/** The entry of a new instance, with the input as its schema wants it. */
async function prepareStart({ definition, input, link, sealer }: BaseParts): Promise<string> {
  const { name, schema } = definition;
  const facts = { workflow: name, startedAt: systemClock.now(), seed: randomBytes(16).toString("hex"), input };
  const payload = schema ? await checkedPayload() : startPayload(facts, input, undefined);
  return writeStart(facts.startedAt, await sealer.seal(payload, placeOf(link)));

  async function checkedPayload(): Promise<string> {
    // Before the schema can touch it.
    startPayload(facts, input, undefined);
    try {
      const what = `input of workflow ${JSON.stringify(name)}`;
      const valid = schema && (await validate(schema, input, what));
      return startPayload({ ...facts, input: valid }, input, undefined);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      return startPayload(facts, input, error);
    }
  }
}

async function saveStart(parts: BaseParts, stored: string): Promise<Start> {
  const { link, sealer } = parts;
  const state = utf8.encode(stored);
  const answer = await link.checkpoint(startId, state);
  if (answer.found && Buffer.compare(answer.state, state) !== 0) {
    throw new FencedError(`instance ${link.instanceId} was started by another process at the same moment`);
  }
  return readStart(link.instanceId, await openStart(link, sealer, stored));
}

/** An instance that exists must be the one that is meant. One without a start of ours was started otherwise: its end is told, but it can't be
 *  run. */
async function earlierStart({ link, definition, claim, sealer }: BaseParts): Promise<Start | undefined> {
  const state = await link.getCheckpoint(startId);
  if (!state) return undefined;
  const start = readStart(link.instanceId, await openStart(link, sealer, text.decode(state)));
  checkSameStart(link.instanceId, start, definition.name, claim);
  return start;
}

async function openStart(link: InstanceLink, sealer: Sealer, stored: string): Promise<string> {
  const coded = stored.startsWith('{"$rt":1') ? codedOf(stored) : undefined;
  return coded ? opened(stored, await sealer.open(coded, placeOf(link))) : stored;
}

function placeOf({ instanceId, tenantId }: InstanceLink): CodecContext {
  return { instanceId, tenantId, id: startId };
}
