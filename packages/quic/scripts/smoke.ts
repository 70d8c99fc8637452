// Proves that an addon works on this machine: a server, a client, one call, over loopback. RUNTARA_QUIC_ADDON names the addon.
import { connect, listen } from "../src/index.ts";

const listener = await listen(
  { host: "127.0.0.1", port: 0, certificate: "self-signed" },
  {
    onCall(call) {
      if (call.fault !== undefined) call.finish();
      else call.respond(2, call.payload);
    },
  },
);
const connection = await connect({
  host: "127.0.0.1",
  port: listener.port,
  serverName: "localhost",
  verify: { caPem: listener.certificatePem },
  connectTimeoutMs: 10_000,
});
const { payload } = await connection.call(1, Buffer.from("hello"), { timeoutMs: 10_000 });
if (Buffer.from(payload).toString() !== "hello") throw new Error(`the echo of "hello" was ${payload}`);
await connection.close();
await listener.close();
console.log(`the addon works: Node ${process.version} on ${process.platform} ${process.arch}`);
