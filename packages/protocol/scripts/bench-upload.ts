// Speed of one upload, client and server in processes of their own:
// node --conditions=runtara-src scripts/bench-upload.ts [--transport quic|http2|memory] [--mib 1024] [--rounds 3] [--hash] [--web] [--json]
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  bodyChunks,
  create,
  encodeFrame,
  encodeResponse,
  environment,
  environmentProtocol,
  frameType,
  http2Transport,
  memoryTransport,
  QuicClient,
  QuicServer,
  quicTransport,
  readableBody,
  type Transport,
  uploadStream,
} from "@runtara/protocol";

const { values } = parseArgs({
  options: {
    transport: { type: "string", default: "quic" },
    mib: { type: "string", default: "1024" },
    rounds: { type: "string", default: "3" },
    hash: { type: "boolean", default: false },
    web: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    server: { type: "boolean", default: false },
  },
});
const transports: Record<string, () => Transport> = {
  quic: () => quicTransport,
  http2: () => http2Transport,
  memory: memoryTransport,
};
const open = transports[values.transport];
if (open === undefined) throw new Error(`--transport is one of ${Object.keys(transports).join(", ")}`);
const transport = open();
const pieceBytes = 65_536;
const totalBytes = Number(values.mib) * 1_048_576;

type Server = QuicServer<environment.RpcRequest, environment.RpcResponse>;

function listen(): Promise<Server> {
  return QuicServer.listen({
    transport,
    protocol: environmentProtocol,
    async onCall(call) {
      const stream = call.stream();
      const options = values.hash ? ({ hash: "sha256" } as const) : {};
      const body = values.web ? readableBody(stream, options) : bodyChunks(stream, options);
      for await (const chunk of body) if (chunk.length === 0) throw new Error("an empty chunk");
      const message = create(environment.RegisterImageResponseSchema, { success: true, imageId: `${body.bytes}` });
      await stream.write(encodeFrame(frameType.response, encodeResponse(environmentProtocol, message)));
      await stream.finish();
    },
  });
}

/** Of this process so far. CPU time tells more than speed does on a machine that others use, too. */
interface Usage {
  readonly peakRssMb: number;
  readonly cpuSeconds: number;
}

function usage(): Usage {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  return { peakRssMb: Math.round(maxRSS / 1_024), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
}

if (values.server) {
  const server = await listen();
  process.send?.({ address: server.address });
  process.on("message", () => process.send?.({ usage: usage() }));
  process.once("disconnect", () => void server.close());
} else await measure();

async function measure(): Promise<void> {
  // In memory there is nobody outside.
  const child =
    values.transport === "memory"
      ? undefined
      : fork(fileURLToPath(import.meta.url), ["--server", ...process.argv.slice(2)], { execArgv: process.execArgv });
  const local = child ? undefined : await listen();
  const ask = async (): Promise<{ address?: string; usage?: Usage }> => {
    if (child === undefined) return { usage: usage() };
    const [answer] = (await once(child, "message")) as [{ address?: string; usage?: Usage }];
    return answer;
  };
  const serverUsage = async (): Promise<Usage> => {
    child?.send("usage");
    return (await ask()).usage ?? usage();
  };
  const serverAddr = local?.address ?? (await ask()).address ?? "";
  const client = QuicClient.localhost({ transport, serverAddr });
  const before = { client: usage(), server: await serverUsage() };
  const rounds = Number(values.rounds);
  const speeds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const request = create(environment.RegisterImageStreamStartSchema, { tenantId: "bench", name: "bench" });
    const answer = await uploadStream(client, request, pieces());
    if (answer.imageId !== String(totalBytes)) throw new Error(`${answer.imageId} of ${totalBytes} bytes arrived`);
    speeds.push(totalBytes / 1_000 / (performance.now() - started));
  }
  const after = { client: usage(), server: await serverUsage() };
  const side = (name: "client" | "server"): Usage => ({
    peakRssMb: after[name].peakRssMb,
    // Of one round.
    cpuSeconds: Math.round(((after[name].cpuSeconds - before[name].cpuSeconds) / rounds) * 100) / 100,
  });
  const result = {
    transport: values.transport,
    mib: Number(values.mib),
    hash: values.hash,
    web: values.web,
    megabytesPerSecond: speeds.map(Math.round),
    client: side("client"),
    server: side("server"),
  };
  console.log(values.json ? JSON.stringify(result) : text(result));
  await client.close();
  await local?.close();
  child?.disconnect();
}

function text(result: { megabytesPerSecond: number[]; client: Usage; server: Usage }): string {
  const { megabytesPerSecond, client, server } = result;
  const sides = Object.entries({ client, server }).map(
    ([name, { peakRssMb, cpuSeconds }]) => `${name} ${cpuSeconds} s of CPU a round, peak RSS ${peakRssMb} MB`,
  );
  return `${values.transport}: ${values.mib} MiB at ${megabytesPerSecond.join(", ")} MB/s; ${sides.join("; ")}`;
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(pieceBytes).fill(7);
  for (let sent = 0; sent < totalBytes; sent += pieceBytes) yield piece;
}
