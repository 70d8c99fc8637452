import { test } from "node:test";
import { http2Transport } from "../transport/http2/transport.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import type { Transport } from "../transport/port.ts";
import { quicTransport } from "../transport/quic.ts";

/** The networks that servers are tested on. */
const transports: readonly (() => Transport)[] = [memoryTransport, () => quicTransport, () => http2Transport];

/** The same test on each of them. */
export function testOnEach(title: string, run: (transport: Transport) => Promise<void>): void {
  for (const make of transports) {
    const transport = make();
    void test(`${transport.name}: ${title}`, () => run(transport));
  }
}
