import type { OutgoingMessage } from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { eventTime, invalidCount, invalidId, invalidText } from "../validation.ts";

/** A message as it came: without content if its sender left that out. */
export interface IncomingMessage {
  readonly number: number;
  readonly content: OutgoingMessage["content"] | undefined;
}

/** What is wrong with messages; undefined = nothing. */
export function invalidMessages(messages: readonly IncomingMessage[]): CoreError | undefined {
  const tooMany = invalidCount("messages", messages.length, limits.entriesPerBatchMax);
  if (tooMany !== undefined) return tooMany;
  let last = 0;
  for (const { number, content } of messages) {
    if (number <= last) {
      const text = `messages are numbered from 1 upwards, got ${number} after ${last}`;
      return CoreError.validation("number", text);
    }
    last = number;
    if (content === undefined) return CoreError.validation("content", "a message needs a published value or an event");
    const invalid =
      content.kind === "published" ? invalidId("key", content.key) : invalidText("subtype", content.subtype);
    if (invalid !== undefined) return invalid;
  }
  return undefined;
}

/** Valid messages as they are kept. */
export function storedMessages(messages: readonly IncomingMessage[], nowMs: number): readonly OutgoingMessage[] {
  const stored: OutgoingMessage[] = [];
  for (const { number, content } of messages) {
    if (content === undefined) continue;
    stored.push({ number, content: content.kind === "published" ? content : kept(content, nowMs) });
  }
  return stored;
}

type EventContent = Extract<OutgoingMessage["content"], { readonly kind: "event" }>;

function kept(event: EventContent, nowMs: number): EventContent {
  return { ...event, createdAtMs: eventTime(event.createdAtMs, nowMs) };
}
