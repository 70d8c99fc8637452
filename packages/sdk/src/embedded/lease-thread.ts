// The program of the thread that stands in for a busy event loop: see lease-keeper.ts.

import { parentPort, workerData } from "node:worker_threads";
import type { Store } from "@runtara/store";
import { LeaseWatch, type WatchTimes } from "./lease-watch.ts";

/** What the thread is started with. */
export interface LeaseThreadStart extends WatchTimes {
  /** One 32-bit counter: signs of life. */
  readonly signs: SharedArrayBuffer;
  readonly url: string;
  readonly workerId: string;
  readonly leaseMs: number;
}

const start = workerData as LeaseThreadStart;
const counter = new Int32Array(start.signs);
const signs = (): number => Atomics.load(counter, 0);
const watch = new LeaseWatch(start, signs(), performance.now());
/** Open only while this stands in. */
let store: Promise<Store> | undefined;
let renewals = 0;

/** Loaded when it is needed, or when the process has had its time to begin: this shares its processors. */
const load = () => import("@runtara/store");

async function openStore(): Promise<Store> {
  const { openStore: open } = await load();
  return open(start.url);
}

/** What fails is tried again with the next renewal; if none succeeds, the loop's own tells what it has lost. */
async function renew(): Promise<void> {
  const { workerId, leaseMs } = start;
  const opening = store ?? openStore();
  store = opening;
  try {
    const opened = await opening;
    await opened.run({ kind: "renewLease", workerId, leaseMs, nowMs: Date.now() });
    renewals += 1;
  } catch {
    await rest(opening);
  }
}

async function rest(opening: Promise<Store> | undefined = store): Promise<void> {
  if (opening === store) store = undefined;
  try {
    await (await opening)?.close();
  } catch {
    // It has never been open.
  }
}

setTimeout(() => void load(), start.quietMs);
setInterval(() => {
  switch (watch.look(signs(), performance.now())) {
    case "renew":
      void renew();
      return;
    case "alive":
      if (renewals > 0) parentPort?.postMessage(renewals);
      renewals = 0;
      void rest();
      return;
    case "gone":
      void rest();
      return;
    case "quiet":
  }
}, start.quietMs / 4);
