import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import type { QuicConnection } from "@runtara/quic";
import { QuicClient } from "../client/client.ts";
import { sendRequest } from "../client/send-request.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import type { ServerFault } from "../server/faults.ts";
import { connectRaw } from "../testing/raw-stream.ts";
import { type Snapshot, victimLimits } from "./victim-server.test.helper.ts";

/** What an attack left behind. */
export interface Aftermath {
  readonly faults: Readonly<Record<ServerFault["kind"], number>>;
  readonly reports: Snapshot["reports"];
}

const health = create(environment.HealthCheckRequestSchema);

/** Generous: what the collector has not got round to yet is in it. */
const growthBytesMax = 536_870_912;

/** A server in another process, a client that minds its own business, and what must hold of both under every attack. */
export class Victim {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #control: QuicClient;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.#control = QuicClient.localhost({ serverAddr: `127.0.0.1:${port}`, retry: false });
  }

  static async start(): Promise<Victim> {
    const file = fileURLToPath(new URL("./victim-server.test.helper.ts", import.meta.url));
    const child = fork(file, { execArgv: process.execArgv.filter((option) => !option.startsWith("--test")) });
    const [first] = (await once(child, "message")) as [Snapshot];
    return new Victim(child, first.port);
  }

  async stop(): Promise<void> {
    await this.#control.close();
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    assert.deepEqual(await exited, [0, null]);
  }

  connect(): Promise<QuicConnection> {
    return connectRaw(this);
  }

  async snapshot(): Promise<Snapshot> {
    const answer = once(this.#child, "message");
    this.#child.send("snapshot");
    return (await answer)[0] as Snapshot;
  }

  /** Meanwhile and afterwards every call of the control client succeeds, memory stays bounded, and nothing is left. */
  async survives(attack: () => Promise<void>): Promise<Aftermath> {
    await sendRequest(this.#control, health);
    const before = await this.snapshot();
    const started = performance.now();
    let isOver = false;
    const calling = (async () => {
      let calls = 0;
      for (; !isOver; calls++) assert.ok((await sendRequest(this.#control, health)).healthy);
      return calls;
    })();
    try {
      await attack();
    } finally {
      isOver = true;
    }
    assert.ok((await calling) > 0);
    const after = await this.#settled();
    const growth = after.peakRssBytes - before.peakRssBytes;
    assert.ok(growth < growthBytesMax, `the server grew by ${growth} bytes`);
    const reports = after.reports.slice(before.reports.length);
    const intervals = Math.ceil((performance.now() - started) / victimLimits.faultIntervalMs) + 1;
    for (const kind of new Set(reports.map((report) => report.kind))) {
      const count = reports.filter((report) => report.kind === kind).length;
      assert.ok(count <= intervals, `${count} reports of ${kind} in ${intervals} intervals`);
    }
    const kinds = Object.entries(after.stats.faults) as [ServerFault["kind"], number][];
    const faults = Object.fromEntries(kinds.map(([kind, count]) => [kind, count - before.stats.faults[kind]]));
    return { faults: faults as Aftermath["faults"], reports };
  }

  /** The snapshot when only the control client is left, with the peak of the whole wait. */
  async #settled(): Promise<Snapshot> {
    const deadline = performance.now() + 10_000;
    let peakRssBytes = 0;
    for (;;) {
      const snapshot = await this.snapshot();
      peakRssBytes = Math.max(peakRssBytes, snapshot.peakRssBytes);
      const { connections, openCalls, bytesInFlight, openStreams } = snapshot.stats;
      if (connections === 1 && openCalls + bytesInFlight + openStreams === 0) return { ...snapshot, peakRssBytes };
      const left = JSON.stringify({ connections, openCalls, bytesInFlight, openStreams });
      assert.ok(performance.now() < deadline, `left behind: ${left}`);
      await sendRequest(this.#control, health);
    }
  }
}
