import { create, management } from "@runtara/protocol";
import type { Order } from "../../management/index.ts";
import { statusNumbers, wholeOf } from "../words.ts";
import type { Server } from "./base-calls.ts";
import { changeMessage, detailsMessage, historyMessage, publishedMessage, resultMessage } from "./messages.ts";
import { boundsOf, present, statusWord } from "./words.ts";

interface Ordered {
  readonly instanceId: string;
  readonly tenantId?: string | undefined;
  readonly reason?: string | undefined;
}

/** Ours alone (R8): what a client and its handles need. `giveUp`: aborted when nobody waits for the answer any more. */
export const extensionCalls = {
  async startWorkflow(
    { management: services }: Server,
    request: management.StartWorkflowRequest,
  ): Promise<management.StartWorkflowResponse> {
    const { instanceId, tenantId, workflow, input, version, tags } = request;
    const { created, status } = await services.start({
      instanceId,
      tenantId,
      workflow,
      tags,
      ...present({ input, version, startAtMs: wholeOf(request.startAtMs), timeoutMs: wholeOf(request.timeoutMs) }),
    });
    return create(management.StartWorkflowResponseSchema, { instanceId, created, status: statusNumbers[status] });
  },

  async waitResult(
    { management: { waits } }: Server,
    { instanceId, waitMs, tenantId }: management.WaitResultRequest,
    giveUp: AbortSignal,
  ): Promise<management.WaitResultResponse> {
    return resultMessage(await waits.result({ instanceId, waitMs, ...present({ tenantId }) }, giveUp));
  },

  async cancelInstance(
    server: Server,
    request: management.CancelInstanceRequest,
  ): Promise<management.CancelInstanceResponse> {
    return create(management.CancelInstanceResponseSchema, { status: await order(server, "cancel", request) });
  },

  async killInstance(
    server: Server,
    request: management.KillInstanceRequest,
  ): Promise<management.KillInstanceResponse> {
    return create(management.KillInstanceResponseSchema, { status: await order(server, "kill", request) });
  },

  async pauseInstance(
    server: Server,
    request: management.PauseInstanceRequest,
  ): Promise<management.PauseInstanceResponse> {
    return create(management.PauseInstanceResponseSchema, { status: await order(server, "pause", request) });
  },

  async resumeInstance(
    server: Server,
    request: management.ResumeInstanceRequest,
  ): Promise<management.ResumeInstanceResponse> {
    return create(management.ResumeInstanceResponseSchema, { status: await order(server, "resume", request) });
  },

  async queryInstances(
    { management: { instances } }: Server,
    request: management.QueryInstancesRequest,
  ): Promise<management.QueryInstancesResponse> {
    const { tenantId, workflow, tags, cursor, limit } = request;
    const statuses = request.statuses.map(statusWord).filter((word) => word !== undefined);
    // Only numbers that no status has: nothing fits.
    if (statuses.length === 0 && request.statuses.length > 0) return create(management.QueryInstancesResponseSchema);
    const filters = { tenantId, statuses: [...new Set(statuses)], tags, ...boundsOf(request) };
    const page = await instances.query({ ...filters, ...present({ workflow, cursor }), limit });
    const { nextCursor } = page;
    return create(management.QueryInstancesResponseSchema, {
      instances: page.instances.map(detailsMessage),
      ...present({ nextCursor }),
    });
  },

  async getPublished(
    { management: { records } }: Server,
    { instanceId, key, tenantId }: management.GetPublishedRequest,
  ): Promise<management.GetPublishedResponse> {
    const values = await records.published({ instanceId, ...present({ key, tenantId }) });
    return create(management.GetPublishedResponseSchema, { values: values.map(publishedMessage) });
  },

  async listHistory(
    { management: { records } }: Server,
    { instanceId, cursor, limit, stateBytesMax, tenantId }: management.ListHistoryRequest,
  ): Promise<management.ListHistoryResponse> {
    const page = { instanceId, limit, ...present({ cursor, stateBytesMax, tenantId }) };
    const { entries, nextCursor } = await records.history(page);
    return create(management.ListHistoryResponseSchema, {
      entries: entries.map(historyMessage),
      ...present({ nextCursor }),
    });
  },

  async watchInstance(
    { management: { waits } }: Server,
    { instanceId, cursor, waitMs, tenantId }: management.WatchInstanceRequest,
    giveUp: AbortSignal,
  ): Promise<management.WatchInstanceResponse> {
    const request = { instanceId, waitMs, ...present({ cursor, tenantId }) };
    const { changes, nextCursor, ended } = await waits.watch(request, giveUp);
    return create(management.WatchInstanceResponseSchema, { changes: changes.map(changeMessage), nextCursor, ended });
  },

  async watchInstances(
    { management: { feed } }: Server,
    { workflow, cursor, waitMs, tenantId }: management.WatchInstancesRequest,
    giveUp: AbortSignal,
  ): Promise<management.WatchInstancesResponse> {
    const request = { waitMs, ...present({ workflow, cursor, tenantId }) };
    const { instances, nextCursor, reset } = await feed.poll(request, giveUp);
    return create(management.WatchInstancesResponseSchema, {
      instances: instances.map(detailsMessage),
      nextCursor,
      reset,
    });
  },
} as const;

async function order(
  { management: { control } }: Server,
  what: Order,
  { instanceId, tenantId, reason }: Ordered,
): Promise<management.InstanceStatus> {
  return statusNumbers[await control.order(what, { instanceId, ...present({ tenantId }) }, reason)];
}
