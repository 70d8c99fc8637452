import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { OutgoingMessage } from "../model.ts";
import type { Draft } from "./draft.ts";
import type { PublishFacts } from "./facts.ts";

/** Sends the messages of the present run that have not gone out yet. Throws `StoreError` if the instance then has published too many keys. */
export function sendMessages(messages: readonly OutgoingMessage[], facts: PublishFacts, draft: Draft): void {
  const { row } = draft;
  const { atMs } = draft.changes;
  const sent = row.lastMessage;
  const published = new Map<string, Uint8Array>();
  for (const { number, content } of messages) {
    if (number <= sent) continue;
    row.lastMessage = Math.max(row.lastMessage, number);
    if (content.kind === "published") {
      published.set(content.key, content.value);
    } else {
      const { subtype, payload, createdAtMs } = content;
      draft.write({ type: "custom", subtype, checkpointId: null, payload, createdAtMs, receivedAtMs: atMs });
    }
  }
  if (published.size === 0) return;
  guardKeys(row.instanceId, [...published.keys()], facts);
  draft.add({ published: Array.from(published, ([key, value]) => ({ key, value })) });
}

function guardKeys(instanceId: string, keys: readonly string[], { publishedKeys, knownKeys }: PublishFacts): void {
  const known = new Set(knownKeys);
  const count = publishedKeys + keys.filter((key) => !known.has(key)).length;
  if (count <= limits.publishedKeysMax) return;
  throw new StoreError(
    "VALUE_TOO_LONG",
    `instance '${instanceId}' would publish ${count} keys, at most ${limits.publishedKeysMax} are kept: publish under fewer keys`,
  );
}
