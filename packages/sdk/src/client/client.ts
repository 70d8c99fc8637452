import type { Client, InstanceSummary, ListFilter, StartOptions } from "../api/client.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { ConfigError } from "../errors.ts";
import type { Operator } from "../ports/operator.ts";
import { createWrapper } from "../values/wrapper.ts";
import { isWorkflow } from "../workflow.ts";
import { Calls } from "./calls.ts";
import { type HandleParts, InstanceHandle } from "./handle.ts";
import { pagesOf } from "./pages.ts";
import type { ClientParts } from "./parts.ts";
import { schedulesOf } from "./schedules.ts";
import { startInstance } from "./start.ts";
import { summaryOf } from "./state.ts";
import { timeOf } from "./time.ts";

export type { ClientParts } from "./parts.ts";

/** The client of `open`, `serve` and the test kit: one over whatever carries out what operators ask. */
export function createClient({ operator, tenantId, sealer, clock, onStart }: ClientParts): Client {
  const parts: HandleParts = { operator, tenantId, sealer, wrapper: createWrapper(sealer), calls: new Calls(clock) };

  async function start(workflow: AnyWorkflow, input?: unknown, options: StartOptions = {}): Promise<InstanceHandle> {
    checkWorkflow("start", workflow);
    if (isWorkflow(workflow)) onStart?.(workflow);
    return new InstanceHandle(parts, workflow, await startInstance(parts, workflow, input, options));
  }

  const client = {
    start,
    run: async (workflow: AnyWorkflow, input?: unknown, options?: StartOptions): Promise<unknown> =>
      (await start(workflow, input, options)).result(),
    get: (workflow: AnyWorkflow, id: string): InstanceHandle => {
      checkWorkflow("get", workflow);
      if (typeof id !== "string" || id === "") throw new ConfigError("get: the id of the instance is empty");
      return new InstanceHandle(parts, workflow, id);
    },
    list: (filter: ListFilter = {}): AsyncIterable<InstanceSummary> => listOf(parts, filter),
    schedules: schedulesOf(parts),
  };
  // The types of inputs and outputs hang on the workflow; what carries them doesn't look at them.
  return client as unknown as Client;
}

function checkWorkflow(call: string, workflow: AnyWorkflow): void {
  if (typeof (workflow as Partial<AnyWorkflow> | undefined)?.name === "string") return;
  throw new ConfigError(`${call}: the first argument must be what workflow() or ref() returned`);
}

async function* listOf(
  { operator, calls }: HandleParts,
  { workflow, status, createdAfter, createdBefore, tags }: ListFilter,
): AsyncGenerator<InstanceSummary> {
  const statuses = status === undefined ? [] : typeof status === "string" ? [status] : status;
  const request: Parameters<Operator["query"]>[0] = {
    ...(workflow === undefined ? {} : { workflow }),
    statuses,
    ...(createdAfter === undefined ? {} : { createdAfterMs: timeOf(createdAfter, "list: createdAfter") }),
    ...(createdBefore === undefined ? {} : { createdBeforeMs: timeOf(createdBefore, "list: createdBefore") }),
    tags: tags ?? {},
  };
  const page = (cursor: string | undefined) =>
    calls.once("list", () => operator.query({ ...request, ...(cursor === undefined ? {} : { cursor }) }));
  for await (const details of pagesOf(page)) yield summaryOf(details);
}
