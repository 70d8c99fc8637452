// SPDX-License-Identifier: AGPL-3.0-or-later
// The load generator must not report as answered what was not: every figure we publish rests on it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { create, instance, QuicServer, type ServerCall } from "@runtara/protocol";
import { answerTo } from "./answering.ts";

interface Report {
  readonly calls: number;
  readonly allCalls: number;
  readonly errors: number;
  readonly readBack: number;
  readonly errorTexts: Record<string, number>;
}

/** Runs `load` for so many calls against a server that answers as `onCall` does. */
async function load(mode: string, count: number, onCall: (call: ServerCall) => void): Promise<Report> {
  const server = await QuicServer.listen({ bindAddr: "127.0.0.1:0", onCall });
  try {
    const program = join(process.env.RUNTARA_INTEROP_BIN ?? "", "load");
    const args = [mode, "--addr", server.address, "--count", `${count}`, "--in-flight", "8"];
    const { stdout } = await promisify(execFile)(program, args);
    return JSON.parse(stdout) as Report;
  } finally {
    await server.close();
  }
}

test("load poll counts every right answer", async () => {
  const report = await load("poll", 500, (call) => {
    const answer = answerTo(call.request);
    if (answer) call.respond(answer);
  });
  assert.deepEqual([report.calls, report.allCalls, report.errors], [500, 500, 0]);
});

test("load poll counts the wrong id, the wrong signal, an error and a missing answer as errors", async () => {
  let calls = 0;
  const report = await load("poll", 400, (call) => {
    const kind = calls++ % 4;
    if (kind === 0) return call.respondError("NO", "not now");
    if (kind === 1) return call.finish();
    const instanceId = kind === 2 ? "somebody else" : requestedId(call);
    const { SIGNAL_CANCEL, SIGNAL_RESUME } = instance.SignalType;
    const signal = create(instance.SignalSchema, {
      instanceId,
      signalType: kind === 3 ? SIGNAL_RESUME : SIGNAL_CANCEL,
    });
    return call.respond(create(instance.PollSignalsResponseSchema, { signal }));
  });
  assert.deepEqual([report.calls, report.errors], [0, 400]);
  assert.equal(report.errorTexts["NO: not now"], 100);
});

test("load checkpoint reads back what was acknowledged, and notices a server that stored nothing", async () => {
  const saved = new Map<string, Uint8Array>();
  const serve = (keep: boolean) => (call: ServerCall) => {
    const { request } = call;
    if (request.case === "checkpoint") {
      if (keep) saved.set(`${request.value.instanceId}/${request.value.checkpointId}`, request.value.state.slice());
      return call.respond(create(instance.CheckpointResponseSchema, { found: false }));
    }
    if (request.case === "getCheckpoint") {
      const state = saved.get(`${request.value.instanceId}/${request.value.checkpointId}`);
      const found = state !== undefined;
      return call.respond(create(instance.GetCheckpointResponseSchema, found ? { found, state } : { found }));
    }
    const answer = answerTo(request);
    if (answer) call.respond(answer);
  };
  const honest = await load("checkpoint", 200, serve(true));
  assert.deepEqual([honest.calls, honest.errors], [200, 0]);
  assert.ok(honest.readBack > 0);
  const forgetful = await load("checkpoint", 200, serve(false));
  assert.ok(forgetful.errors > 0);
  assert.equal(forgetful.readBack, 0);
});

function requestedId(call: ServerCall): string {
  return call.request.case === "pollSignals" ? call.request.value.instanceId : "";
}
