import { create, instance, QuicClient, sendRequest } from "@runtara/protocol";
import { type Caller, instanceId } from "./caller.ts";

/** Our client, on QUIC or HTTP/2: encrypted, the certificate not checked, as between processes of one machine. */
export async function runtaraCaller(serverAddr: string, transport: "quic" | "http2"): Promise<Caller> {
  const client = new QuicClient({ serverAddr, transport, dangerouslySkipVerification: true });
  const connection = await client.connect();
  return {
    async call() {
      const request = create(instance.PollSignalsRequestSchema, { instanceId });
      const { signal } = await sendRequest(connection, request);
      if (signal?.instanceId !== instanceId || signal.signalType !== instance.SignalType.SIGNAL_CANCEL) {
        throw new Error("wrong answer");
      }
    },
    close: () => client.close(),
  };
}
