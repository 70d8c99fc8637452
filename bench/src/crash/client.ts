import { create, instance, QuicClient, sendRequest } from "@runtara/protocol";

const requestTimeoutMs = 5_000;
const connectTimeoutMs = 500;

/** A client that repeats nothing by itself and gives up soon. */
export function crashClient(serverAddr: string): QuicClient {
  const times = { connectTimeoutMs, requestTimeoutMs };
  return new QuicClient({ serverAddr, dangerouslySkipVerification: true, retry: false, ...times });
}

export async function register(client: QuicClient, instanceId: string): Promise<void> {
  const message = create(instance.RegisterInstanceRequestSchema, { instanceId, tenantId: "crash" });
  const { success, error } = await sendRequest(client, message);
  if (!success) throw new Error(`${instanceId} could not register: ${error}`);
}
