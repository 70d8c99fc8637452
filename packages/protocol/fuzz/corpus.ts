import { readFileSync } from "node:fs";
import type { Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { schemaNamed } from "../src/testing/messages.ts";
import { decodeMessage } from "../src/wire/decode.ts";
import { encodeMessage } from "../src/wire/encode.ts";
import { protocols } from "./targets.ts";

interface Vector {
  readonly message: string;
  readonly hex: string;
  readonly frame_hex: string;
}

const vectors = JSON.parse(
  readFileSync(new URL("../testdata/vectors.json", import.meta.url), "utf8"),
) as readonly Vector[];

/** The golden encodings in the form that each target takes. */
export function seedInputs(target: string): Uint8Array[] {
  switch (target) {
    case "frame":
      return vectors.map(({ frame_hex }) => bytes(frame_hex));
    case "request":
      return enveloped("requestSchema").map(([protocol, payload]) => Uint8Array.from([protocol, ...payload]));
    case "difference":
    case "logJson":
      return [
        ...enveloped("requestSchema").map(([protocol, payload]) => Uint8Array.from([protocol, ...payload])),
        // From 128 on it is the response; the remainder by 3 still names the protocol.
        ...enveloped("responseSchema").map(([protocol, payload]) => Uint8Array.from([129 + protocol, ...payload])),
      ];
    case "readRequest":
      return enveloped("requestSchema").map(([protocol, payload]) => Uint8Array.from([protocol, 1, ...payload]));
    case "response":
      return enveloped("responseSchema").map(([protocol, payload]) => Uint8Array.from([protocol, ...payload]));
    case "answer":
      return enveloped("responseSchema").map(([, payload]) => payload);
    default:
      throw new Error(`no seeds for target ${target}`);
  }
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

/** Every vector that is a member of an envelope, in it. */
function enveloped(kind: "requestSchema" | "responseSchema"): [protocol: number, payload: Uint8Array][] {
  return protocols.flatMap((protocol, number) => {
    const schema = protocol[kind];
    const oneof = schema.oneofs[0];
    return vectors.flatMap(({ message, hex }) => {
      const member = oneof?.fields.find((field) => field.message?.typeName === message);
      if (oneof === undefined || member === undefined) return [];
      const value: Message = decodeMessage(schemaNamed(message), bytes(hex));
      const init = { [oneof.localName]: { case: member.localName, value } };
      return [[number, encodeMessage(schema, create(schema, init as never))] as [number, Uint8Array]];
    });
  });
}
