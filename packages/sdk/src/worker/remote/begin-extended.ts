import type { FeatureName } from "@runtara/protocol";
import { ConfigError, StartConflictError } from "../../errors.ts";
import type { Details } from "../../ports/operator.ts";
import type { InstanceSignals, OpenPoll, WaitSignalsRequest } from "../../ports/source.ts";
import { SourceError } from "../../ports/source-error.ts";
import type { CodecContext, Wrapper } from "../../values/codec-port.ts";
import type { WorkflowDefinition } from "../../workflow.ts";
import type { Beginning } from "../begun.ts";
import { endedOutcome, type Outcome } from "../outcome.ts";
import { checkSameStart } from "../start-entry.ts";
import { type RegistrationParts, register } from "./registration.ts";
import type { RemoteOperator } from "./remote-operator.ts";
import { RemoteSession } from "./remote-session.ts";
import { waitSignals } from "./waiting.ts";

/** Without these an instance is run over the base protocol. */
export const neededFeatures: readonly FeatureName[] = [
  "start-facts",
  "epoch",
  "checkpoint-batch",
  "list-own-checkpoints",
  "wait-signals",
];

export interface ExtendedParts extends RegistrationParts {
  readonly operator: RemoteOperator;
  readonly definition: WorkflowDefinition;
  readonly wrapper: Wrapper;
  /** How much longer than it was asked to the core may take for a long poll. */
  readonly pollGraceMs: number;
  /** Of a new instance. */
  readonly input: unknown;
  /** What an existing instance must have been started with; undefined: anything. */
  readonly claim: { readonly input: unknown } | undefined;
}

const never: AbortSignal = new AbortController().signal;

/** Starts the instance, unless it is there, and registers it, over the extensions. Undefined: the core does not serve them, or the instance was
 *  started without a workflow's name; then the base protocol is the way.
 *  @returns the outcome of an instance that has ended before */
export async function beginExtended(parts: ExtendedParts): Promise<Beginning | undefined> {
  const { instanceId, operator } = parts;
  let details: Details | undefined;
  try {
    details = (await operator.read(instanceId)) ?? (await start(parts));
  } catch (error) {
    if (error instanceof SourceError && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
  if (details && details.workflow === null) return undefined;
  if (details) await checkSame(parts, details);
  const outcome = details && (await earlierOutcome(parts, details));
  return outcome ? { outcome } : await take(parts);
}

/** Undefined: it is new. What was started by somebody else at the same moment is given back. */
async function start({ operator, definition, wrapper, input, ...of }: ExtendedParts): Promise<Details | undefined> {
  const { name, version } = definition;
  const at = placeOf(of, "!input");
  const bytes = await wrapper.wrap(input, at, `workflow ${JSON.stringify(name)} was started with`);
  const { instanceId } = of;
  try {
    await operator.start({ instanceId, workflow: name, version, input: bytes, tags: {} });
    return undefined;
  } catch (error) {
    if (!(error instanceof SourceError) || error.code !== "CONFLICT") throw error;
    const there = await operator.read(instanceId);
    if (there) return there;
    const text = `the id ${instanceId} belongs to an instance with another ${error.differs.join(", ")}; choose another id`;
    throw new StartConflictError(text, { cause: error });
  }
}

/** @throws StartConflictError, ConfigError for a version that this code does not continue */
async function checkSame(parts: ExtendedParts, { workflow, version }: Details): Promise<void> {
  const { instanceId, definition, claim, operator, wrapper } = parts;
  const there = claim && (await operator.readStart(instanceId));
  const given = there && (await wrapper.unwrap(there.input, placeOf(parts, "!input")));
  checkSameStart(instanceId, { workflow: workflow ?? "", given }, definition.name, there && claim);
  const isOurs = version === null || version === definition.version || definition.accepts.includes(version);
  if (isOurs) return;
  throw new ConfigError(
    `instance ${instanceId} is bound to version ${version} of workflow ${JSON.stringify(definition.name)}; this code is ${definition.version ?? "of no version"}. Run it with that version, or name it in \`accepts\``,
  );
}

async function earlierOutcome(
  { instanceId, tenantId, operator, wrapper }: ExtendedParts,
  { status }: Pick<Details, "status">,
): Promise<Outcome | undefined> {
  if (status !== "completed" && status !== "failed" && status !== "cancelled") return undefined;
  return endedOutcome(await operator.waitResult(instanceId, 1, never), { instanceId, tenantId }, wrapper, true);
}

async function take(parts: ExtendedParts): Promise<Beginning | undefined> {
  const { instanceId, operator, calls } = parts;
  const registration = await register(parts);
  if ("refusal" in registration) {
    const details = await operator.read(instanceId);
    const outcome = details && (await earlierOutcome(parts, details));
    if (outcome) return { outcome };
    throw new ConfigError(`the core does not register instance ${instanceId}: ${registration.refusal}`);
  }
  const { work, features } = registration;
  if (!work || !neededFeatures.every((feature) => features.has(feature))) return undefined;
  const session: RemoteSession = new RemoteSession({
    calls,
    work,
    features,
    registerAgain: () => registerAgain(parts, session.epoch),
  });
  return {
    session,
    isResumed: work.facts.checkpointCount > 0,
    newestId: undefined,
    waitSignals: (request) => waitForOne(parts, session, request),
  };
}

/** A poll with the session's epoch. An answer to an older one says nothing. */
function waitForOne(
  { calls, pollGraceMs }: ExtendedParts,
  session: RemoteSession,
  request: WaitSignalsRequest,
): OpenPoll<readonly InstanceSignals[]> {
  const { epoch } = session;
  const interests = request.interests.map((interest) => ({ ...interest, epoch }));
  const { answer, abandon } = waitSignals(calls, { ...request, interests }, pollGraceMs);
  const current = answer.then((instances) => (session.epoch === epoch ? instances : []));
  return { answer: current, abandon };
}

/** After the core has given the instance up as lost. @throws SourceError FENCED when somebody else had it meanwhile; ENDED when it is over */
async function registerAgain(parts: ExtendedParts, epoch: number): Promise<number> {
  const { instanceId, operator } = parts;
  const details = await operator.read(instanceId);
  if (details?.status !== "suspended" && details?.status !== "pending") {
    throw new SourceError("ENDED", `the instance is ${details?.status ?? "gone"}`);
  }
  const registration = await register(parts);
  if ("refusal" in registration) throw new SourceError("ENDED", registration.refusal);
  const present = registration.work?.facts.epoch;
  if (present === epoch + 1) return present;
  throw new SourceError("FENCED", `instance ${instanceId} was run by another process meanwhile`);
}

function placeOf({ instanceId, tenantId }: { instanceId: string; tenantId: string }, id: string): CodecContext {
  return { instanceId, tenantId, id };
}
