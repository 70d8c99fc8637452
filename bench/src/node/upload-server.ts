// `node upload-server.ts ADDR`: takes streamed image uploads, over QUIC and HTTP/2, counts their bytes and keeps none. Answers with
// the number as the image id. Prints `ready upload ADDR`.
import {
  bodyChunks,
  create,
  environment,
  environmentProtocol,
  QuicServer,
  type Service,
  serve,
} from "@runtara/protocol";
import { onEnd } from "./lifetime.ts";

type Handlers = Service<environment.RpcRequest, environment.RpcResponse>;

const refuse = (): never => {
  throw new Error("this server takes uploads only");
};
const nothing = Object.fromEntries(Object.keys(environmentProtocol.answers).map((name) => [name, refuse]));
const service = {
  ...nothing,
  async registerImageStream(_request, context) {
    const body = bodyChunks(context.stream());
    for await (const chunk of body) if (chunk.length === 0) throw new Error("an empty piece");
    return create(environment.RegisterImageResponseSchema, { success: true, imageId: `${body.bytes}` });
  },
} as Handlers;

const bindAddr = process.argv[2] ?? "127.0.0.1:0";
const server = await QuicServer.listen({ ...serve(environmentProtocol, service), bindAddr, http2: true });
process.stdout.write(`ready upload ${server.address}\n`);
onEnd(() => void server.close());
