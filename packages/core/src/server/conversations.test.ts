import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CoreServer, startCore } from "@runtara/core/server";
import { connect, type QuicConnection } from "@runtara/quic";
import { type Json, matches, playedAnswer, recordedAnswer } from "../testing/compare.ts";
import { type RecordedCall, readConversations, type Scenario } from "../testing/conversation.ts";
import { differences, refusedSetups } from "../testing/differences.ts";
import { play } from "../testing/player.ts";
import { StoreSetup } from "../testing/setup.ts";

// Conversations recorded from the original core are held with ours, byte for byte, over one connection per scenario.

const folder = mkdtempSync(join(tmpdir(), "runtara-conversations-"));
const path = join(folder, "core.db");
let server: CoreServer;
let setup: StoreSetup;

before(async () => {
  server = await startCore({ databaseUrl: `sqlite:${path}`, bindAddr: "127.0.0.1:0" });
  setup = new StoreSetup(path);
});
after(async () => {
  setup.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

const seenDifferences = new Set<string>();
const seenRefusals = new Set<string>();
const scenarios = readConversations();

for (const scenario of scenarios) {
  if (scenario.needs === "original tables") continue;
  test(`conversation: ${scenario.name}`, async () => {
    const connection = await connectTo(server.address);
    const unlisted: string[] = [];
    try {
      for (const group of groupsOf(scenario)) unlisted.push(...(await playGroup(connection, scenario, group)));
    } finally {
      await connection.close();
    }
    assert.equal(unlisted.length, 0, unlisted.join("\n"));
  });
}

test("every listed difference still occurs", () => {
  assert.deepEqual([...seenDifferences].toSorted(), Object.keys(differences).toSorted());
  assert.deepEqual([...seenRefusals].toSorted(), Object.keys(refusedSetups).toSorted());
});

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

async function playGroup(
  connection: QuicConnection,
  scenario: Scenario,
  group: readonly NumberedCall[],
): Promise<string[]> {
  for (const { number, call } of group) {
    for (const operation of call.setup ?? []) {
      if (setup.apply(operation) !== undefined) seenRefusals.add(`${scenario.name} / ${number}`);
    }
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
  return group.flatMap(({ number, call }, index) => checkAnswer(scenario, number, call, answers[index] ?? null));
}

/** Returns the difference if it is not listed. */
function checkAnswer(scenario: Scenario, number: number, call: RecordedCall, answer: Json): string[] {
  const recorded = recordedAnswer(call);
  if (matches(answer, recorded)) return [];
  const name = `${scenario.name} / ${number} / ${call.name}`;
  const listed = differences[name];
  if (listed !== undefined && matches(answer, listed.answer)) {
    seenDifferences.add(name);
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
