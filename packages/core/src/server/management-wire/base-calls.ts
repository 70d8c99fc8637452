import { create, management } from "@runtara/protocol";
import { CoreError } from "../../core-error.ts";
import { limits } from "../../limits.ts";
import type { Management } from "../../management/index.ts";
import { managementFeatures } from "../capabilities.ts";
import { signalWord } from "../words.ts";
import { statusMessage, summaryMessage } from "./messages.ts";
import { boundsOf, present, statusWord } from "./words.ts";

/** What the calls need beside the services. */
export interface Server {
  readonly management: Management;
  readonly version: string;
  /** A monotonic clock, 0 at the start of the server. */
  readonly uptimeMs: () => number;
}

const uint32Max = 4_294_967_295;

/** The calls that the last original server had (spec 2.11). `caller`: whose pages these are. */
export const baseCalls = {
  async healthCheck({ management: { instances }, version, uptimeMs }: Server): Promise<management.HealthCheckResponse> {
    const { healthy, active } = await instances.health();
    return create(management.HealthCheckResponseSchema, {
      healthy,
      version,
      uptimeMs: BigInt(Math.floor(uptimeMs())),
      activeInstances: Math.min(active, uint32Max),
      features: [...managementFeatures],
    });
  },

  async sendSignal(
    { management: { control } }: Server,
    { instanceId, signalType, payload, tenantId }: management.SendSignalRequest,
  ): Promise<management.SendSignalResponse> {
    const signal = signalWord(signalType);
    const refusal = await inBand(async () => {
      if (signal === undefined) throw new CoreError("VALIDATION_ERROR", `Unknown signal type: ${signalType}`);
      await control.sendSignal({ instanceId, signal, payload, ...present({ tenantId }) });
    });
    return create(management.SendSignalResponseSchema, refusal);
  },

  async sendCustomSignal(
    { management: { control } }: Server,
    { instanceId, checkpointId, payload, queued = false, messageId, tenantId }: management.SendCustomSignalRequest,
  ): Promise<management.SendCustomSignalResponse> {
    const signal = { instanceId, name: checkpointId, payload, queued, ...present({ messageId, tenantId }) };
    return create(management.SendCustomSignalResponseSchema, await inBand(() => control.sendNamedSignal(signal)));
  },

  async getInstanceStatus(
    { management: { instances } }: Server,
    { instanceId, tenantId, wantsStart: withStart }: management.GetInstanceStatusRequest,
  ): Promise<management.GetInstanceStatusResponse> {
    return statusMessage(instanceId, await instances.read({ instanceId, ...present({ tenantId, withStart }) }));
  },

  async listInstances(
    { management: { instances } }: Server,
    { tenantId, status: number = 0, limit, offset }: management.ListInstancesRequest,
    caller: string,
  ): Promise<management.ListInstancesResponse> {
    const status = statusWord(number);
    // A number that no status has fits nothing; 0 is no filter.
    if (number !== 0 && status === undefined) return create(management.ListInstancesResponseSchema);
    const page = await instances.list({ limit, offset, ...present({ tenantId, status }) }, caller);
    return create(management.ListInstancesResponseSchema, {
      instances: page.instances.map(summaryMessage),
      totalCount: Math.min(page.total, uint32Max),
    });
  },

  async listCheckpoints(
    { management: { records } }: Server,
    request: management.ListCheckpointsRequest,
    caller: string,
  ): Promise<management.ListCheckpointsResponse> {
    const { instanceId, checkpointId, tenantId, limit: asked = limits.listLimit, offset = 0 } = request;
    const filters = { instanceId, ...present({ checkpointId, tenantId }), ...boundsOf(request) };
    const { checkpoints, total, limit } = await records.listCheckpoints({ ...filters, limit: asked, offset }, caller);
    return create(management.ListCheckpointsResponseSchema, {
      checkpoints: checkpoints.map((checkpoint) => ({
        checkpointId: checkpoint.checkpointId,
        instanceId,
        createdAtMs: BigInt(checkpoint.createdAtMs),
        dataSizeBytes: BigInt(checkpoint.stateBytes),
      })),
      totalCount: Math.min(total, uint32Max),
      limit,
      offset,
    });
  },

  async getCheckpoint(
    { management: { records } }: Server,
    { instanceId, checkpointId, tenantId }: management.GetCheckpointRequest,
  ): Promise<management.GetCheckpointResponse> {
    const found = await records.getCheckpoint({ instanceId, checkpointId, ...present({ tenantId }) });
    const ids = { instanceId, checkpointId, found: found !== undefined };
    const content = found && { createdAtMs: BigInt(found.createdAtMs), data: found.state };
    return create(management.GetCheckpointResponseSchema, { ...ids, ...content });
  },
} as const;

/** Refusals of signals are told in the answer itself; failures are not among them. */
async function inBand(send: () => Promise<void>): Promise<{ success: boolean; error: string }> {
  try {
    await send();
    return { success: true, error: "" };
  } catch (error) {
    if (!(error instanceof CoreError) || error.repeatable !== "never") throw error;
    return { success: false, error: error.message };
  }
}
