import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

const index = new URL("./index.ts", import.meta.url).href;
const prelude = `
  import { connect, listen } from ${JSON.stringify(index)};
  const echo = (call) => (call.fault === undefined ? call.respond(2, call.payload) : call.finish());
  const serve = (onCall = echo) => listen({ host: "127.0.0.1", port: 0, certificate: "self-signed" }, { onCall });
  const dial = (listener, more) => connect({ host: "127.0.0.1", port: listener.port, serverName: "localhost",
    verify: "skip", connectTimeoutMs: 5000, ...more });
`;

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script in a process of its own; one that does not end is killed and so fails the test. */
async function run(script: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", prelude + script], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = [child.stdout, child.stderr].map(async (stream) => {
    let text = "";
    for await (const piece of stream) text += piece;
    return text;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout: (await stdout) ?? "", stderr: (await stderr) ?? "" };
}

async function ends(script: string, code: number, stdout: string): Promise<void> {
  const outcome = await run(script);
  assert.deepEqual([outcome.code, outcome.signal, outcome.stdout.trim()], [code, null, stdout], outcome.stderr);
}

test("an awaited call keeps the process alive, an idle connection and an unref'd listener do not", async () => {
  const script = `
    const listener = await serve((call) => setTimeout(() => echo(call), 50));
    listener.unref();
    const client = await dial(listener);
    const answer = await client.call(1, Buffer.from("answered"));
    console.log(Buffer.from(answer.payload).toString());
  `;
  await ends(script, 0, "answered");
});

test("a listener keeps the process alive until it is closed", async () => {
  const script = `
    const listener = await serve();
    setTimeout(() => { console.log("closing"); listener.close(); }, 50).ref();
    process.on("exit", () => console.log("exit"));
  `;
  await ends(script, 0, "closing\nexit");
});

test("a pending read and a pending connect keep the process alive", async () => {
  const script = `
    const listener = await serve((call) => { const stream = call.stream(); setTimeout(() => stream.write(Buffer.from("late")), 50); });
    listener.unref();
    const client = await dial(listener);
    const stream = await client.openStream();
    await stream.write(Buffer.from([0, 0, 0, 0, 0, 1]));
    console.log(Buffer.from(await stream.read()).toString());
  `;
  await ends(script, 0, "late");
});

test("the process may exit in the midst of traffic", async () => {
  const script = `
    const listener = await serve();
    const clients = await Promise.all([1, 2, 3, 4].map(() => dial(listener)));
    let count = 0;
    const loop = async (client) => { for (;;) { await client.call(1, Buffer.alloc(count % 100_000)); if (++count === 3000) process.exit(7); } };
    for (const client of clients) for (let i = 0; i < 32; i++) loop(client);
  `;
  await ends(script, 7, "");
});

test("an uncaught error in the midst of traffic ends the process with its message", async () => {
  const script = `
    let count = 0;
    const listener = await serve((call) => { if (++count === 500) throw new Error("handler bug"); echo(call); });
    const client = await dial(listener);
    for (let i = 0; i < 64; i++) (async () => { for (;;) await client.call(1, Buffer.alloc(10)).catch(() => {}); })();
  `;
  const outcome = await run(script);
  assert.deepEqual([outcome.code, outcome.signal], [1, null]);
  assert.match(outcome.stderr, /handler bug/);
});

test("a process that ends itself after close has told its peer", async () => {
  const script = `
    const listener = await listen({ host: "127.0.0.1", port: 0, certificate: "self-signed" }, {
      onCall: echo,
      onConnectionClosed: (_, why) => console.log(why.by, Number(why.code), why.reason),
    });
    const { spawnSync } = await import("node:child_process");
    const { once } = await import("node:events");
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, ["--input-type=module", "--eval", process.env.CHILD, String(listener.port)], { stdio: "inherit" });
    await once(child, "exit");
    await listener.close();
  `;
  const child = `${prelude}
    const client = await dial({ port: Number(process.argv[1]) });
    await client.call(1, Buffer.alloc(1));
    await client.close(9, "leaving");
    process.exit();
  `;
  const outcome = await run(script, { CHILD: child });
  assert.deepEqual([outcome.code, outcome.stdout.trim()], [0, "peer 9 leaving"], outcome.stderr);
});

test("a worker thread may use the addon and be terminated in the midst of traffic", async () => {
  const source = `${prelude}
    import { parentPort } from "node:worker_threads";
    const listener = await serve();
    const client = await dial(listener);
    let count = 0;
    const loop = async () => { for (;;) { await client.call(1, Buffer.alloc(100)); if (++count === 200) parentPort.postMessage(count); } };
    for (let i = 0; i < 16; i++) loop();
  `;
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(source, { eval: true });
    assert.deepEqual(await once(worker, "message"), [200]);
    await worker.terminate();
  }
});

test("a missing addon says what to run", async () => {
  const script = `
    await serve().catch((error) => console.log(error.code, /npm run setup/.test(error.message)));
    await dial({ port: 1 }).catch((error) => console.log(error.code));
  `;
  const outcome = await run(script, { RUNTARA_QUIC_ADDON: "/nonexistent/quic.node" });
  assert.equal(outcome.stdout.trim(), "ADDON_MISSING true\nADDON_MISSING", outcome.stderr);
});
