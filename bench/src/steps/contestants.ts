import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PostgresServer } from "@runtara/store/testing/postgres";
import { type Core, type Ground, startCore } from "../peers.ts";
import { emptyDatabase, postmasterPid } from "../postgres.ts";
import { type Contestant, startContestant } from "./contestant.ts";

const programs = join(import.meta.dirname, "..", "node");
const peers = join(import.meta.dirname, "..", "..", "peers");

/** Who is measured, and how it is started on an empty database of its own. */
export interface Entrant {
  readonly name: string;
  start(ground: Ground, postgres: PostgresServer): Promise<Contestant>;
}

export const entrants: readonly Entrant[] = [
  {
    name: "ours, embedded, SQLite",
    async start(ground) {
      const running = new AsyncDisposableStack();
      const folder = await temporary(ground, running);
      return startContestant(node(join(programs, "steps-embedded.ts"), `sqlite:${join(folder, "app.db")}`), running);
    },
  },
  {
    name: "ours, worker, SQLite core",
    async start(ground) {
      const running = new AsyncDisposableStack();
      return onCore(running, running.use(await startCore(ground, "ours")), []);
    },
  },
  {
    name: "ours, worker, PostgreSQL core",
    async start(ground, postgres) {
      const running = new AsyncDisposableStack();
      const database = running.use(await emptyDatabase(ground, postgres));
      return onCore(running, running.use(await database.startCore()), [postmasterPid(postgres)]);
    },
  },
  {
    name: "ours, embedded, PostgreSQL",
    async start(ground, postgres) {
      const running = new AsyncDisposableStack();
      const { url } = running.use(await emptyDatabase(ground, postgres));
      return startContestant(node(join(programs, "steps-embedded.ts"), url), running, [postmasterPid(postgres)]);
    },
  },
  {
    name: "Restate",
    async start(ground) {
      const running = new AsyncDisposableStack();
      const folder = await temporary(ground, running);
      return startContestant(node(join(peers, "restate.mjs"), folder), running);
    },
  },
  {
    name: "DBOS, PostgreSQL",
    async start(ground, postgres) {
      const running = new AsyncDisposableStack();
      const { url } = running.use(await emptyDatabase(ground, postgres));
      return startContestant(node(join(peers, "dbos.mjs"), url), running, [postmasterPid(postgres)]);
    },
  },
];

/** Installs the others, once: they are no dependency of ours. */
export function installPeers(progress: (text: string) => void): void {
  if (existsSync(join(peers, "node_modules", "@dbos-inc")) && existsSync(join(peers, "node_modules", "@restatedev")))
    return;
  progress("installing DBOS and Restate in bench/peers");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: peers,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error("npm ci in bench/peers failed; try it by hand");
}

function onCore(running: AsyncDisposableStack, core: Core, helpers: readonly number[]): Promise<Contestant> {
  const program = node(join(programs, "steps-worker.ts"), core.address);
  return startContestant(program, running, [core.pid, ...helpers]);
}

function node(...args: string[]): { file: string; args: string[] } {
  return { file: process.execPath, args };
}

async function temporary(ground: Ground, running: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(ground.dataFolder, "steps-"));
  running.defer(() => rm(folder, { recursive: true }));
  return folder;
}
