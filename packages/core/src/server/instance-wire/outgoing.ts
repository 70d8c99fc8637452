import type { instance } from "@runtara/protocol";
import type { IncomingMessage } from "../../checkpoints/index.ts";
import { whole } from "../words.ts";

export function outgoing({ number, content }: instance.OutgoingMessage): IncomingMessage {
  return { number: whole(number), content: contentOf(content) };
}

function contentOf({ case: kind, value }: instance.OutgoingMessage["content"]): IncomingMessage["content"] {
  switch (kind) {
    case "published":
      return { kind: "published", key: value.key, value: value.value };
    case "event": {
      const { subtype, payload, timestampMs } = value;
      return { kind: "event", subtype, payload, createdAtMs: Number(timestampMs) };
    }
    default:
      return undefined;
  }
}
