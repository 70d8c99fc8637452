// `node bench/echo-server.ts ADDR`: a target for load generators. Answers each PollSignals with a CANCEL signal for the asked
// instance; prints `ready echo ADDR` once it listens and ends at SIGTERM, at Ctrl-C, or when the pipe on its stdin closes.
import { runEchoServer } from "./src/echo-server.ts";

await runEchoServer(process.argv[2] ?? "127.0.0.1:8001");
