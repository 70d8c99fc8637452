// JavaScript on both ends, in two processes: node --conditions=runtara-src bench/calls.ts ADDR [inflight seconds bytes]
import { connect, type QuicConnection } from "@runtara/quic";

const [address = "127.0.0.1:7100", inflight = "64", seconds = "4", bytes = "32"] = process.argv.slice(2);
const at = address.lastIndexOf(":");
const connection = await connect({
  host: address.slice(0, at),
  port: Number(address.slice(at + 1)),
  serverName: "localhost",
  verify: "skip",
  connectTimeoutMs: 5_000,
});
const payload = new Uint8Array(Number(bytes)).fill(7);
const times: number[] = [];

async function loop(on: QuicConnection, until: number): Promise<void> {
  for (let begun = performance.now(); begun < until; begun = performance.now()) {
    await on.call(1, payload);
    times.push(performance.now() - begun);
  }
}

const started = performance.now();
await Promise.all(Array.from({ length: Number(inflight) }, () => loop(connection, started + 1000 * Number(seconds))));
const elapsed = (performance.now() - started) / 1000;
times.sort((a, b) => a - b);
const microseconds = (part: number): string => ((times[Math.floor((times.length - 1) * part)] ?? 0) * 1000).toFixed(1);
console.log(
  `${inflight} in flight, ${bytes} B: ${Math.round(times.length / elapsed)} calls/s, p50 ${microseconds(0.5)} us, p99 ${microseconds(0.99)} us`,
);
await connection.close();
