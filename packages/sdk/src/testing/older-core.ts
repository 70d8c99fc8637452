import {
  type ClientConnection,
  type FeatureName,
  featuresOf,
  type instance,
  QuicClient,
  QuicServer,
  type ServerCall,
  sendRequest,
} from "@runtara/protocol";
import type { TestCore } from "./core-in-process.ts";

type Request = Exclude<instance.RpcRequest["request"], { case: undefined }>["value"];

/** A core that serves less than a real one: what it does not serve it refuses as servers do, the rest is the real core's answer.
 *  @returns its address */
export async function olderCore(
  t: { after(cleanUp: () => Promise<void>): void },
  core: TestCore,
  isServed: (feature: FeatureName) => boolean,
): Promise<string> {
  const features = featuresOf("instance").filter(isServed);
  const ways = new Map<object, Promise<ClientConnection>>();
  const clients: QuicClient[] = [];
  // Each connection has one of its own behind it: long polls and fencing go by connection.
  const behind = (connection: object): Promise<ClientConnection> => {
    let way = ways.get(connection);
    if (!way) {
      const client = QuicClient.localhost({ serverAddr: core.address });
      clients.push(client);
      way = client.connect();
      ways.set(connection, way);
    }
    return way;
  };
  const server = await QuicServer.listen({
    features,
    onCall(call) {
      forward(call, behind(call.connection), features).catch(() => call.finish());
    },
  });
  t.after(async () => {
    await server.close();
    for (const client of clients) await client.close();
  });
  return server.address;
}

async function forward(call: ServerCall, way: Promise<ClientConnection>, features: FeatureName[]): Promise<void> {
  const { request } = call;
  if (request.case === undefined) return;
  try {
    const answer = await sendRequest(await way, request.value as Request, { timeoutMs: 0 });
    if (answer === undefined) call.finish();
    else call.respond(announcing(answer, features) as Parameters<typeof call.respond>[0]);
  } catch (error) {
    const {
      message,
      rpcCode = "ERROR",
      fineCode,
      isRetryable,
    } = error as {
      message: string;
      rpcCode?: string;
      fineCode?: never;
      isRetryable?: boolean;
    };
    call.respondError(rpcCode, message, { fineCode, retryable: isRetryable });
  }
}

/** A core of the base protocol gives no start facts either. */
function announcing<Message extends object>(answer: Message, features: FeatureName[]): Message {
  if (!("features" in answer)) return answer;
  const { start, ...rest } = answer as { start?: unknown } & Message;
  return { ...rest, ...(features.includes("start-facts") && start ? { start } : {}), features } as unknown as Message;
}
