// `node upload-client.ts quic|http2 --addr ADDR --bytes N`: one streamed upload. Prints one line of JSON.
import { parseArgs } from "node:util";
import { create, environment, QuicClient, uploadStream } from "@runtara/protocol";

const pieceBytes = 65_536;
/** Memory is looked at from here on, when buffers have their size, and then each time so much has gone. */
const settledBytes = 256 * 2 ** 20;
const lookEveryBytes = 16 * 2 ** 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { addr: { type: "string", default: "127.0.0.1:8002" }, bytes: { type: "string", default: "1073741824" } },
});
const bytes = Number(values.bytes);
const resident: number[] = [];
const transport = positionals[0] === "http2" ? "http2" : "quic";
const client = new QuicClient({ serverAddr: values.addr, transport, dangerouslySkipVerification: true });
await client.connect();

const request = create(environment.RegisterImageStreamStartSchema, {
  tenantId: "bench",
  name: "upload",
  binarySize: BigInt(bytes),
});
const beginMs = performance.now();
const answer = await uploadStream(client, request, pieces());
const seconds = (performance.now() - beginMs) / 1000;
if (answer.imageId !== `${bytes}`) throw new Error(`${answer.imageId} of ${bytes} bytes arrived`);
const { user, system } = process.cpuUsage();
const first = resident[0] ?? 0;
const growthBytes = Math.max(first, ...resident) - first;
process.stdout.write(`${JSON.stringify({ bytes, seconds, cpuSeconds: (user + system) / 1e6, growthBytes })}\n`);
await client.close();

async function* pieces(): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(pieceBytes).fill(0x5a);
  for (let sent = 0; sent < bytes; sent += pieceBytes) {
    if (sent >= settledBytes && sent % lookEveryBytes === 0) resident.push(process.memoryUsage.rss());
    yield sent + pieceBytes <= bytes ? piece : piece.subarray(0, bytes - sent);
  }
}
