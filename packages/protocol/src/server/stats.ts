import type { RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import type { TransportStats } from "../transport/port.ts";
import type { CallDesk } from "./call-desk.ts";
import type { FaultCounts } from "./faults.ts";

/** A server at a glance; totals count from its start. */
export interface ServerStats extends TransportStats {
  /** Calls without an answer, raw streams that have not ended included. */
  readonly openCalls: number;
  /** What these calls hold, as `maxBytesInFlight` counts it. */
  readonly bytesInFlight: number;
  readonly connectionsTotal: number;
  /** Calls that were let in. */
  readonly callsTotal: number;
  /** Connections, and calls by the limit they were over. */
  readonly refused: Readonly<
    Record<"connections" | "openCalls" | "bytesInFlight" | "connectionBytesInFlight" | "draining", number>
  >;
  /** Reported or left out. */
  readonly faults: FaultCounts;
  readonly isDraining: boolean;
}

export function serverStats<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  transport: TransportStats,
  { admission, refused, faults }: CallDesk<Request, Response>,
  connectionsTotal: number,
): ServerStats {
  const { openCalls, bytesInFlight, callsTotal, isDraining } = admission;
  const { connections, openStreams, callsReceived, udpReceiveBufferBytes, udpSendBufferBytes } = transport;
  return {
    connections,
    openCalls,
    openStreams,
    callsReceived,
    udpReceiveBufferBytes,
    udpSendBufferBytes,
    bytesInFlight,
    connectionsTotal,
    callsTotal,
    refused: { ...refused },
    faults: faults.counts,
    isDraining,
  };
}
