import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { dial, echo, failure, serve } from "./peers.test.helper.ts";

const index = new URL("./index.ts", import.meta.url).href;

/** A client in a process of its own, whose event loop does not turn while it runs `script`. */
function client(t: TestContext, port: number, pace: object, script: string): ChildProcess {
  const program = `
    import { connect } from ${JSON.stringify(index)};
    const connection = await connect({ host: "127.0.0.1", port: ${port}, serverName: "localhost", verify: "skip", connectTimeoutMs: 10000 });
    const standIn = connection.standIn(3, Buffer.from("here"), ${JSON.stringify(pace)});
    const say = (text) => connection.call(1, Buffer.from(text));
    const block = (ms) => { for (const end = Date.now() + ms; Date.now() < end; ); };
    ${script}
    await connection.close();
  `;
  const child = spawn(process.execPath, [...process.execArgv, "--input-type=module", "--eval", program], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

/** What came in, in order: of the stand-in "here". */
async function heard(t: TestContext, pace: object, script: string): Promise<readonly string[]> {
  const texts: string[] = [];
  const listener = await serve(t, {
    onCall(call) {
      assert.equal(call.fault, undefined);
      texts.push(`${call.type} ${Buffer.from(call.payload).toString()}`);
      echo(call);
    },
  });
  const [code] = await once(client(t, listener.port, pace, script), "close");
  assert.equal(code, 0);
  return texts;
}

/** How often the stand-in was heard between two words of the client. */
function between(texts: readonly string[], from: string, to: string): number {
  const part = texts.slice(texts.indexOf(`1 ${from}`) + 1, texts.indexOf(`1 ${to}`));
  assert.ok(part.every((text) => text === "3 here"));
  return part.length;
}

test("while the loop is busy for longer than the silence may last the frame goes out again and again", async (t) => {
  const script = `
    standIn.sign();
    await say("busy");
    block(1000);
    standIn.sign();
    await say("end");
  `;
  const often = await heard(t, { everyMs: 50, quietMs: 150, stopMs: 60_000 }, script);
  assert.ok(between(often, "busy", "end") >= 2);
  const never = await heard(t, { everyMs: 50, quietMs: 30_000, stopMs: 60_000 }, script);
  assert.equal(between(never, "busy", "end"), 0);
});

test("it leaves off when there has been no sign for long, and begins anew after the next one", async (t) => {
  const texts = await heard(
    t,
    { everyMs: 50, quietMs: 100, stopMs: 600 },
    `
      standIn.sign();
      await say("busy");
      block(2500);
      standIn.sign();
      await say("again");
      block(600);
      standIn.sign();
      await say("end");
    `,
  );
  const first = between(texts, "busy", "again");
  assert.ok(first >= 1 && first <= 1 + (600 - 100) / 50, `${first} times`);
  assert.ok(between(texts, "again", "end") >= 1);
});

test("ended or replaced: what was given before is not sent any more; a sign after the end is nothing", async (t) => {
  const texts = await heard(
    t,
    { everyMs: 50, quietMs: 50, stopMs: 60_000 },
    `
      const other = connection.standIn(4, Buffer.from("other"), { everyMs: 50, quietMs: 50, stopMs: 60000 });
      standIn.end();
      standIn.sign();
      await say("busy");
      block(600);
      other.end();
      other.end();
      other.sign();
      await say("over");
      block(600);
      await say("end");
    `,
  );
  assert.ok(!texts.includes("3 here"));
  const [busy, over, end] = ["busy", "over", "end"].map((text) => texts.indexOf(`1 ${text}`));
  assert.ok((over ?? 0) - (busy ?? 0) > 2);
  // One may have been on its way.
  assert.ok((end ?? 0) - (over ?? 0) <= 2);
});

test("its answers reach nobody, and a peer without them or without room for streams does no harm", async (t) => {
  const listener = await serve(t, {
    onCall(call) {
      if (call.type === 1) echo(call);
      else if (call.type === 4) call.reset(9);
    },
  });
  const connection = await dial(t, listener);
  const pace = { everyMs: 5, quietMs: 1, stopMs: 60_000 };
  for (const type of [4, 5]) {
    connection.standIn(type, Buffer.from("x"), pace);
    for (let n = 0; n < 50; n++)
      assert.equal(Buffer.from((await connection.call(1, Buffer.from("y"))).payload).toString(), "y");
  }
});

test("wrong times and frames are refused; after the end of the connection too, and what stood in does nothing", async (t) => {
  const connection = await dial(t, await serve(t));
  const pace = { everyMs: 10, quietMs: 10, stopMs: 100 };
  for (const wrong of [{ everyMs: 0 }, { quietMs: 1.5 }, { stopMs: Number.NaN }, { everyMs: 2 ** 31 }]) {
    assert.throws(() => connection.standIn(1, new Uint8Array(1), { ...pace, ...wrong }), RangeError);
  }
  assert.throws(() => connection.standIn(0, new Uint8Array(1), pace), { code: "FRAME_TYPE_INVALID" });
  const standIn = connection.standIn(1, new Uint8Array(1), pace);
  await connection.close();
  assert.throws(() => connection.standIn(1, new Uint8Array(1), pace), { code: "CONNECTION_CLOSED" });
  standIn.sign();
  standIn.end();
  standIn.sign();
  await failure(connection.call(1, new Uint8Array(1)), "CONNECTION_CLOSED");
});
