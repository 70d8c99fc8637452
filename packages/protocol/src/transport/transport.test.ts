import { describeTransport } from "../testing/transport-suite.ts";
import { memoryTransport } from "./memory/transport.ts";
import { quicTransport } from "./quic.ts";

describeTransport("QUIC", () => quicTransport);
describeTransport("memory", memoryTransport);
