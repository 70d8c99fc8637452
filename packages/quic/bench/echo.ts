// An echo server to point `load` at: node --conditions=runtara-src bench/echo.ts [PORT]
import { listen } from "@runtara/quic";

const listener = await listen(
  { host: "127.0.0.1", port: Number(process.argv[2] ?? 0), certificate: "self-signed" },
  {
    onCall(call) {
      if (call.fault === undefined) call.respond(2, call.payload);
      else call.finish();
    },
  },
);
console.log(`listening on ${listener.host}:${listener.port}`);
