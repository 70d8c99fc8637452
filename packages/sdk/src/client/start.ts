import type { StartOptions } from "../api/client.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { durationMs } from "../durations.ts";
import { ConfigError, StartConflictError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Operator, StartRequest } from "../ports/operator.ts";
import { SourceError } from "../ports/source-error.ts";
import { validate } from "../schema.ts";
import type { Wrapper } from "../values/codec-port.ts";
import { differences } from "../values/differences.ts";
import { knownDefinition } from "../workflow.ts";
import type { Calls } from "./calls.ts";
import { newInstanceId } from "./instance-id.ts";
import { timeOf } from "./time.ts";

/** What starting needs. */
export interface StartParts {
  readonly operator: Operator;
  readonly tenantId: string;
  readonly wrapper: Wrapper;
  readonly calls: Calls;
}

/** Starts an instance, or finds the equal one that is there. @returns its id */
export async function startInstance(
  parts: StartParts,
  workflow: AnyWorkflow,
  input: unknown,
  options: StartOptions,
): Promise<string> {
  const { operator, tenantId, wrapper, calls } = parts;
  const what = `start of workflow ${JSON.stringify(workflow.name)}`;
  const instanceId = options.id ?? newInstanceId(calls.clock.now());
  if (typeof instanceId !== "string" || instanceId === "") {
    throw new ConfigError(
      `${what}: the id is ${JSON.stringify(instanceId)}; it must be text, or left out for a new one`,
    );
  }
  const schema = knownDefinition(workflow)?.schema;
  // What goes out is the given input: the runner validates it again, and stores what its schema makes of it.
  if (schema) await validate(schema, input, `the input of workflow ${JSON.stringify(workflow.name)}`);
  const at = { tenantId, instanceId, id: "!input" };
  const bytes = await wrapper.wrap(input, at, `workflow ${JSON.stringify(workflow.name)} was started with`);
  const request = requestOf(workflow, instanceId, bytes, options, what);
  await calls.once(what, async () => {
    try {
      await operator.start(request);
    } catch (error) {
      if (!(error instanceof SourceError) || error.code !== "CONFLICT") throw error;
      await checkConflict(parts, request, error);
    }
  });
  return instanceId;
}

function requestOf(
  workflow: AnyWorkflow,
  instanceId: string,
  input: Uint8Array | undefined,
  { tags, startAt, timeout }: StartOptions,
  what: string,
): StartRequest {
  return {
    instanceId,
    workflow: workflow.name,
    version: workflow.version,
    input,
    tags: tags ?? {},
    startAtMs: startAt === undefined ? undefined : timeOf(startAt, `${what}: startAt`),
    timeoutMs: timeout === undefined ? undefined : durationMs(timeout, `${what}: timeout`),
  };
}

/** The id is taken. Fine if only the bytes of the inputs differ and not what they say: a codec may write equal texts differently.
 *  @throws StartConflictError naming what differs; SourceError */
async function checkConflict(parts: StartParts, request: StartRequest, conflict: SourceError): Promise<void> {
  const { instanceId } = request;
  const { differs } = conflict;
  if (differs.includes("workflow") || differs.includes("version")) {
    const there = await parts.operator.read(instanceId);
    const name = (workflow: string | null | undefined, version: string | null | undefined): string =>
      `${JSON.stringify(workflow ?? "")}${version ? `, version ${version}` : ""}`;
    throw conflictError(
      `instance ${instanceId} is one of workflow ${name(there?.workflow, there?.version)}, not of ${name(request.workflow, request.version)}; choose another id`,
      conflict,
    );
  }
  if (!differs.includes("input")) {
    throw conflictError(
      `the id ${instanceId} belongs to an instance with another ${differs.join(", ")}; choose another id`,
      conflict,
    );
  }
  const fields = await inputDifferences(parts, request);
  if (fields?.length === 0 && differs.length === 1) return;
  throw conflictError(
    `instance ${instanceId} was started with another input${fields ? `: ${listOf(fields)}` : ""}. Choose another id, or get() the one that is there`,
    conflict,
  );
}

/** Compared as they are stored, where a Date is a Date and a missing member is missing. Undefined where the stored one can't be read. */
async function inputDifferences(
  { operator, tenantId, wrapper }: StartParts,
  { instanceId, input }: StartRequest,
): Promise<readonly string[] | undefined> {
  const at = { tenantId, instanceId, id: "!input" };
  try {
    const start = await operator.readStart(instanceId);
    if (!start) return undefined;
    const stored = await wrapper.unwrapText(start.input, at);
    const given = await wrapper.unwrapText(input, at);
    if (stored === given) return [];
    const parse = (text: string | undefined): unknown => (text === undefined ? undefined : JSON.parse(text));
    const fields = differences(parse(stored), parse(given), "input");
    return fields.length > 0 ? fields : ["the order of the members"];
  } catch (error) {
    // An input that this process can't read is another one, and so is one that the server doesn't show.
    if (error instanceof SourceError && error.code !== "UNSUPPORTED") throw error;
    return undefined;
  }
}

function listOf(fields: readonly string[]): string {
  const more = fields.length - limits.differencesShown;
  return `${fields.slice(0, limits.differencesShown).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}

function conflictError(message: string, cause: SourceError): StartConflictError {
  return new StartConflictError(message, { cause });
}
