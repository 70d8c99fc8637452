import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type CoreServer, startCore } from "@runtara/core/server";
import { connect, type QuicConnection } from "@runtara/quic";
import { testDatabase } from "@runtara/store/testing/postgres";
import { type Json, matches, playedAnswer, recordedAnswer } from "../testing/compare.ts";
import { type EngineName, type RecordedCall, readConversations, type Scenario } from "../testing/conversation.ts";
import { type Difference, differences, refusedSetups } from "../testing/differences.ts";
import { play } from "../testing/player.ts";
import { PostgresSetup, SqliteSetup, type StoreSetup } from "../testing/setup.ts";

// Conversations recorded from the original core are held with ours, byte for byte, over one connection per scenario.

interface Engine {
  readonly name: EngineName;
  /** An empty database. */
  create(): Promise<{ readonly url: string; openSetup(): StoreSetup; dispose(): Promise<void> }>;
}

const sqlite: Engine = {
  name: "sqlite",
  async create() {
    const folder = mkdtempSync(join(tmpdir(), "runtara-conversations-"));
    const path = join(folder, "core.db");
    return {
      url: `sqlite:${path}`,
      openSetup: () => new SqliteSetup(path),
      dispose: async () => rmSync(folder, { recursive: true }),
    };
  },
};

const postgres: Engine = {
  name: "postgres",
  async create() {
    const database = await testDatabase();
    const { url } = database;
    return { url, openSetup: () => new PostgresSetup(url), dispose: async () => database[Symbol.asyncDispose]() };
  },
};

for (const engine of [sqlite, postgres]) describe(`recorded on ${engine.name}`, () => replayOn(engine));

function replayOn({ name: engine, create }: Engine): void {
  let database: Awaited<ReturnType<typeof create>>;
  let server: CoreServer;
  let setup: StoreSetup;
  const seen: Seen = { differences: new Set(), refusals: new Set() };

  before(async () => {
    database = await create();
    server = await startCore({ databaseUrl: database.url, bindAddr: "127.0.0.1:0" });
    setup = database.openSetup();
  });
  after(async () => {
    setup.close();
    await server.close();
    await database.dispose();
  });

  for (const scenario of readConversations(engine)) {
    if (scenario.needs === "original tables") continue;
    test(`conversation: ${scenario.name}`, async () => {
      const connection = await connectTo(server.address);
      const replay = { connection, setup, scenario, listed: differences[engine], seen };
      const unlisted: string[] = [];
      try {
        for (const group of groupsOf(scenario)) unlisted.push(...(await playGroup(replay, group)));
      } finally {
        await connection.close();
      }
      assert.equal(unlisted.length, 0, unlisted.join("\n"));
    });
  }

  test("every listed difference still occurs", () => {
    assert.deepEqual([...seen.differences].toSorted(), Object.keys(differences[engine]).toSorted());
    assert.deepEqual([...seen.refusals].toSorted(), Object.keys(refusedSetups[engine]).toSorted());
  });
}

/** Names of the listed differences, and of the listed refusals, that have occurred. */
interface Seen {
  readonly differences: Set<string>;
  readonly refusals: Set<string>;
}

interface Replay {
  readonly connection: QuicConnection;
  readonly setup: StoreSetup;
  readonly scenario: Scenario;
  readonly listed: Readonly<Record<string, Difference>>;
  readonly seen: Seen;
}

function connectTo(address: string): Promise<QuicConnection> {
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  return connect({ host: "127.0.0.1", port, serverName: "localhost", verify: "skip", connectTimeoutMs: 5_000 });
}

interface NumberedCall {
  readonly number: number;
  readonly call: RecordedCall;
}

/** Calls that are sent at the same moment; most are alone. */
function groupsOf({ calls }: Scenario): NumberedCall[][] {
  const groups: NumberedCall[][] = [];
  for (const [number, call] of calls.entries()) {
    const last = groups.at(-1);
    if (last !== undefined && call.group !== undefined && last[0]?.call.group === call.group)
      last.push({ number, call });
    else groups.push([{ number, call }]);
  }
  return groups;
}

async function playGroup(replay: Replay, group: readonly NumberedCall[]): Promise<string[]> {
  const { connection, setup, scenario, seen } = replay;
  for (const { number, call } of group) {
    if (await setup.prepare(call)) seen.refusals.add(`${scenario.name} / ${number}`);
  }
  const answers = await Promise.all(
    group.map(async ({ call }) => {
      const played = await play(connection, call);
      if (call.at_least_ms !== undefined && played.kind === "frame") {
        assert.ok(played.elapsedMs >= call.at_least_ms, `${call.name}: after ${played.elapsedMs} ms`);
      }
      return playedAnswer(call, played);
    }),
  );
  const racy = group.some(({ call }) => call.racy !== undefined);
  if (racy) {
    checkRace(group, answers);
    return [];
  }
  return group.flatMap(({ number, call }, index) => checkAnswer(replay, number, call, answers[index] ?? null));
}

/** Returns the difference if it is not listed. */
function checkAnswer({ scenario, listed, seen }: Replay, number: number, call: RecordedCall, answer: Json): string[] {
  const recorded = recordedAnswer(call);
  if (matches(answer, recorded)) return [];
  const name = `${scenario.name} / ${number} / ${call.name}`;
  const difference = listed[name];
  if (difference !== undefined && matches(answer, difference.answer)) {
    seen.differences.add(name);
    return [];
  }
  return [`${name}\n  original: ${JSON.stringify(recorded)}\n  ours:     ${JSON.stringify(answer)}`];
}

/** Several answers are right: those that the promises allow. */
function checkRace(group: readonly NumberedCall[], answers: readonly Json[]): void {
  const texts = answers.map((answer) => JSON.stringify(answer));
  const [first] = group;
  if (first?.call.name === "reset after a whole request") {
    // The reset may overtake the request.
    assert.ok(
      texts.every((text) => text === '"fin"' || text === '{"poll_signals":{}}'),
      texts.join(),
    );
  } else if (first?.call.name.startsWith("race ")) {
    // I2: one is told saved, the others get its state.
    const found = texts.filter((text) => text !== '{"checkpoint":{}}');
    assert.equal(found.length, texts.length - 1, texts.join());
    assert.equal(new Set(found).size, 1, texts.join());
    assert.match(found[0] ?? "", /^\{"checkpoint":\{"found":true,"state":"[^"]+"\}\}$/);
  } else if (first?.call.name.startsWith("registration race")) {
    assert.deepEqual(new Set(texts), new Set(['{"register_instance":{"success":true}}']));
  } else {
    const recorded = group.map(({ call }) => JSON.stringify(recordedAnswer(call)));
    assert.deepEqual(texts, recorded);
  }
}
