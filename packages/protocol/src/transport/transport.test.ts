import { describeTransport } from "../testing/transport-suite.ts";
import { http2Transport } from "./http2/transport.ts";
import { memoryTransport } from "./memory/transport.ts";
import { quicTransport } from "./quic.ts";

describeTransport("QUIC", () => quicTransport);
describeTransport("HTTP/2", () => http2Transport, { resetsBoth: true });
describeTransport("memory", memoryTransport, { isPlain: true });
