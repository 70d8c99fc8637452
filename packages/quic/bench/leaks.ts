// Looks for leaks over a long time, client and server in this one process:
//   node --expose-gc --conditions=runtara-src bench/leaks.ts calls 10000000
//   node --expose-gc --conditions=runtara-src bench/leaks.ts cycles 10000
//   node --expose-gc --conditions=runtara-src bench/leaks.ts aborts 100000
// Prints resident memory as it goes and what is open at the end; exits with 1 if memory keeps growing or something stays.
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectOptions, connect, listen, type QuicConnection, type QuicListener } from "@runtara/quic";

/** Samples of memory in a run; the first quarter is for warming up. */
const samples = 40;
/** Allowed growth from the second quarter's highest sample to the last quarter's lowest. */
const growthBytesMax = 16 * 2 ** 20;
/** How long the end may take to be clean: a closing connection lives for three of its time-outs. */
const settleMsMax = 15_000;

const modes: Record<string, (host: Host, count: number) => Promise<void>> = { calls, cycles, aborts };

interface Host {
  readonly listener: QuicListener;
  readonly options: ConnectOptions;
}

async function calls({ options }: Host, count: number): Promise<void> {
  const connection = await connect(options);
  const payload = new Uint8Array(64).fill(7);
  let left = count;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await connection.call(1, payload);
  };
  await Promise.all(Array.from({ length: 64 }, loop));
  await connection.close();
}

async function cycles({ options }: Host, count: number): Promise<void> {
  let left = count;
  const loop = async (): Promise<void> => {
    while (left-- > 0) {
      // Resumed and full handshakes in turn.
      const connection = await connect({ ...options, resumption: left % 2 === 0 });
      await connection.call(1, new Uint8Array(64));
      await connection.close();
    }
  };
  await Promise.all(Array.from({ length: 8 }, loop));
}

/** Calls that nobody answers, given up at once, in the same tick, or after the server has them. */
async function aborts({ options }: Host, count: number): Promise<void> {
  const connection = await connect(options);
  let left = count;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await giveUp(connection, left % 3);
  };
  await Promise.all(Array.from({ length: 32 }, loop));
  await connection.close();
}

async function giveUp(connection: QuicConnection, when: number): Promise<void> {
  const controller = new AbortController();
  const call = connection.call(2, new Uint8Array(64), { signal: controller.signal });
  const given = call.then(
    () => Promise.reject(new Error("a call that nobody answers was answered")),
    () => undefined,
  );
  if (when === 1) await new Promise(setImmediate);
  if (when === 2) await connection.call(1, new Uint8Array(1));
  controller.abort();
  await given;
}

/** Files and sockets that the process holds; 0 where there is no /proc. */
function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

async function run(mode: string, count: number): Promise<string[]> {
  const act = modes[mode];
  if (act === undefined || !(count >= samples)) {
    return [`usage: leaks.ts ${Object.keys(modes).join("|")} COUNT, at least ${samples}`];
  }
  const filesBefore = openFiles();
  const listener = await listen(
    { host: "127.0.0.1", port: 0, certificate: "self-signed" },
    {
      onCall(call) {
        if (call.fault !== undefined) call.finish();
        else if (call.type === 1) call.respond(2, call.payload);
        else call.onAborted = () => call.finish();
      },
    },
  );
  const verify = { caPem: listener.certificatePem };
  const address = { host: "127.0.0.1", port: listener.port, serverName: "localhost" };
  const host: Host = { listener, options: { ...address, verify, connectTimeoutMs: 30_000 } };
  const memory: number[] = [];
  for (let sample = 1; sample <= samples; sample++) {
    const done = Math.floor((count * sample) / samples);
    await act(host, done - Math.floor((count * (sample - 1)) / samples));
    memory.push(residentBytes());
    console.log(`${done} ${mode}: ${megabytes(memory.at(-1) ?? 0)} MiB resident, ${openFiles()} files open`);
  }
  const problems = growth(memory);
  problems.push(...(await leftovers(listener)));
  await listener.close();
  return [...problems, ...(await openAfter(filesBefore))];
}

function growth(memory: readonly number[]): string[] {
  const quarter = samples / 4;
  const early = Math.max(...memory.slice(quarter, 2 * quarter));
  const late = Math.min(...memory.slice(-quarter));
  console.log(`second quarter at most ${megabytes(early)} MiB, last quarter at least ${megabytes(late)} MiB`);
  return late - early > growthBytesMax ? [`memory grew by ${megabytes(late - early)} MiB`] : [];
}

async function leftovers(listener: QuicListener): Promise<string[]> {
  const isClean = (): boolean => {
    const { connections, openCalls, openStreams, pendingHandshakes, bufferedBytes } = listener.stats();
    return connections + openCalls + openStreams + pendingHandshakes + bufferedBytes === 0;
  };
  for (const began = performance.now(); !isClean() && performance.now() - began < settleMsMax; ) await sleep(20);
  const { connections, openCalls, openStreams, pendingHandshakes, bufferedBytes } = listener.stats();
  console.log("at the end:", { connections, openCalls, openStreams, pendingHandshakes, bufferedBytes });
  return isClean() ? [] : ["the listener still has something open"];
}

async function openAfter(before: number): Promise<string[]> {
  // What the runtime opens once stays: the network thread's poller and its wake-up.
  const runtimeFiles = 6;
  for (const began = performance.now(); performance.now() - began < settleMsMax; ) {
    if (openFiles() <= before + runtimeFiles) break;
    await sleep(20);
  }
  const handles = process.getActiveResourcesInfo().filter((kind) => !["PipeWrap", "TTYWrap", "Timeout"].includes(kind));
  console.log(
    `after the close: ${openFiles() - before} files more than before, handles: ${handles.join(" ") || "none"}`,
  );
  const files = openFiles() <= before + runtimeFiles ? [] : ["files or sockets stayed open"];
  return handles.length === 0 ? files : [...files, "handles stayed active"];
}

const problems = await run(process.argv[2] ?? "", Number(process.argv[3]));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
