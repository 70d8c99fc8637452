import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { DescField, JsonValue } from "@bufbuild/protobuf";
import { fromJson, ScalarType, toJson } from "@bufbuild/protobuf";
import { environmentProtocol } from "./environment/protocol.ts";
import { isProtocolError } from "./errors.ts";
import { featureNames, features } from "./features.ts";
import { fineCodes } from "./fine-codes.ts";
import { decodeFrame, encodeFrame, frameType } from "./frames.ts";
import { instanceProtocol } from "./instance/protocol.ts";
import { clientDefaults, limits, serverDefaults } from "./limits.ts";
import { managementProtocol } from "./management/protocol.ts";
import type { Protocol } from "./protocols/protocol.ts";
import { readRequest } from "./read-request.ts";
import { files, schemaNamed } from "./testing/messages.ts";
import { wireCode } from "./transport/http2/codes.ts";
import { closeText, refusalBytes } from "./transport/http2/goaway.ts";
import { answerHeaders, refusedStatus, requestHeaders } from "./transport/http2/headers.ts";
import { decodeMessage } from "./wire/decode.ts";
import { encodeMessage } from "./wire/encode.ts";

// docs/protocol.md is for people who write a client in another language: nothing on it may be wrong or missing.

const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");

const protocols = [instanceProtocol, environmentProtocol, managementProtocol] as unknown as Protocol[];

/** The cells of a table, without backticks: its head, the line below it, its rows. */
function cells(block: string): string[][] {
  const cellsOf = (line: string): string[] => line.split("|").slice(1, -1);
  return block.split("\n").map((line) => cellsOf(line).map((cell) => cell.replaceAll("`", "").trim()));
}

const isTable = (block: string): boolean => block.startsWith("|");

/** The rows of the table that begins with these headings. */
function table(...headings: string[]): string[][] {
  const tables = page.split(/\n\n+/).filter(isTable).map(cells);
  const found = tables.filter(([head]) => headings.every((heading, i) => head?.[i] === heading));
  assert.equal(found.length, 1, `tables with the headings ${headings.join(", ")}`);
  return (found[0] ?? []).slice(2);
}

/** The rows of the first table after a heading. */
function tableUnder(heading: string): string[][] {
  const block = page
    .split(`\n### ${heading}\n`)[1]
    ?.split(/\n\n+/)
    .map((one) => one.trim())
    .find(isTable);
  assert.ok(block, `a table under "${heading}"`);
  return cells(block).slice(2);
}

const bytesOf = (hex: string): Buffer => {
  const digits = hex.replaceAll(/#.*$/gm, "").replaceAll(/\s/g, "");
  assert.match(digits, /^([0-9a-f]{2})*$/);
  return Buffer.from(digits, "hex");
};
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const numberIn = (cell: string | undefined): number => Number(cell?.replaceAll(",", ""));
const byNumber = (a: { number: number }, b: { number: number }): number => a.number - b.number;

interface Example {
  readonly line: number;
  readonly message: string;
  readonly json: JsonValue;
  readonly hex: string;
}
const examples = [...page.matchAll(/^Message `([\w.]+)` with `(\{[^`]*\})`\n\n```hex\n(.*?)^```$/gms)].map(
  ([text, message = "", json = "", hex = ""]): Example => ({
    line: page.slice(0, page.indexOf(text)).split("\n").length,
    message,
    json: JSON.parse(json) as JsonValue,
    hex,
  }),
);

test("every hex block is an example", () => {
  assert.equal(examples.length, page.match(/^ *```+hex/gm)?.length);
});

for (const { line, message, json, hex } of examples) {
  test(`example at line ${line}: ${message} ${JSON.stringify(json)}`, () => {
    const schema = schemaNamed(message);
    const type = message.endsWith(".RpcRequest") ? frameType.request : frameType.response;
    assert.match(message, /\.Rpc(Request|Response)$/);
    assert.equal(hexOf(encodeFrame(type, encodeMessage(schema, fromJson(schema, json)))), hexOf(bytesOf(hex)));

    const frame = decodeFrame(bytesOf(hex));
    assert.equal(frame.type, type);
    assert.equal(frame.payload.length + limits.frameHeaderBytes, bytesOf(hex).length);
    assert.deepEqual(toJson(schema, decodeMessage(schema, frame.payload), { useProtoFieldName: true }), json);
  });
}

test("every arm of the instance protocol has an example, and three are annotated", () => {
  for (const { typeName, fields } of [instanceProtocol.requestSchema, instanceProtocol.responseSchema]) {
    const shown = new Set(examples.filter(({ message }) => message === typeName).map(({ json }) => armOf(json)));
    assert.deepEqual([...shown].sort(), fields.map((field) => field.name).sort(), typeName);
  }
  const annotated = examples.filter(
    ({ message, hex }) =>
      message.startsWith("runtara.instance.") &&
      hex
        .split("\n")
        .slice(0, -1)
        .every((line) => line.includes(" # ")),
  );
  assert.ok(annotated.length >= 3);
});

function armOf(json: JsonValue): string | undefined {
  assert.ok(typeof json === "object" && json !== null);
  return Object.keys(json)[0];
}

for (const protocol of protocols) {
  test(`arms of the ${protocol.name} protocol: all of them, numbers, messages and answers`, () => {
    const { requestSchema, responseSchema, answers } = protocol;
    const answerCells = (field: DescField | undefined): string[] =>
      field ? [`${field.number} ${field.name}`, field.message?.name ?? ""] : ["FIN", "–"];
    const calls = [...requestSchema.fields].sort(byNumber).map((field) => {
      const answer = responseSchema.fields.find((one) => one.localName === answers[field.localName]);
      return [String(field.number), field.name, field.message?.name ?? "", ...answerCells(answer)];
    });
    const named = new Set(Object.values(answers));
    const others = responseSchema.fields.filter((field) => !named.has(field.localName)).sort(byNumber);
    const rest = others.map((field) => ["–", "–", "–", ...answerCells(field)]);
    assert.deepEqual(tableUnder(`Arms of the ${protocol.name} protocol`), [...calls, ...rest]);
  });
}

test("enums: all of them, with all their values, in every protocol that has them", () => {
  const listed = table("Enum", "Where", "Number", "Name").flatMap(([name, where = "", number, value]) =>
    where.split(", ").map((protocol) => `runtara.${protocol}.${name} ${number} ${value}`),
  );
  const actual = files.flatMap((file) =>
    file.enums.flatMap((one) => one.values.map((value) => `${one.typeName} ${value.number} ${value.name}`)),
  );
  assert.deepEqual(listed.sort(), actual.sort());
  const unknown = table("Unknown number of").map(([name]) => name);
  assert.deepEqual(unknown.sort(), [...new Set(files.flatMap((file) => file.enums.map((one) => one.name)))].sort());
});

/** Full names of the messages that 1.4.1 has. */
const originals = new Set(
  Object.values(
    JSON.parse(readFileSync(new URL("../testdata/descriptors.json", import.meta.url), "utf8")) as Record<
      string,
      { package: string; messages: Record<string, unknown> }
    >,
  ).flatMap((one) => Object.keys(one.messages).map((name) => `${one.package}.${name}`)),
);

test("fields of the instance messages of 1.4.1: all of them, numbers, types and presence", () => {
  const messages = (files[0]?.messages ?? []).filter(
    ({ name, typeName }) => originals.has(typeName) && !/^Rpc(Request|Response)$/.test(name),
  );
  const actual = messages.flatMap(({ name, fields }) =>
    fields.length === 0
      ? [[name, "–", "–", "–"]]
      : fields.map((field) => [name, String(field.number), field.name, typeOf(field)]),
  );
  const listed = table("Message", "No.", "Field", "Type").map((row) => row.slice(0, 4));
  assert.deepEqual(listed, actual);
});

for (const file of files) {
  const name = file.proto.package.split(".")[1] ?? "";
  test(`messages of the ${name} extensions: all of them, fields, numbers, types and presence`, () => {
    const actual = file.messages
      .filter(({ typeName }) => !originals.has(typeName))
      .map(({ name, fields }) => [
        name,
        fields.map((field) => `${field.number} ${field.name} ${typeOf(field)}`).join(", ") || "–",
      ]);
    assert.deepEqual(tableUnder(`Messages of the ${name} extensions`), actual);
  });
}

function typeOf(field: DescField): string {
  if (field.fieldKind === "map") return "map of text";
  const name = field.message?.name ?? field.enum?.name ?? ScalarType[field.scalar ?? 0]?.toLowerCase();
  const mark = field.fieldKind === "list" ? "*" : field.proto.proto3Optional ? "?" : "";
  return `${name}${mark}`;
}

test("frame types", () => {
  const listed = table("Type", "Name").map(([type, name]) => [name, Number(type)]);
  assert.deepEqual(Object.fromEntries(listed), frameType);
});

test("odd input is answered as the page says", () => {
  const rows = table("What arrives", "Example", "Answer").filter(([, example]) => example !== "–");
  assert.ok(rows.length >= 14);
  for (const [what, example = "", answer] of rows) assert.equal(answerTo(bytesOf(example)), answer, what);
});

function answerTo(bytes: Uint8Array): string {
  try {
    const read = readRequest(instanceProtocol, decodeFrame(bytes));
    if (read.kind === "close") return "FIN";
    if (read.kind === "answer") return `error ${read.code}`;
    const { fields } = instanceProtocol.requestSchema;
    return `call ${fields.find((field) => field.localName === read.request.case)?.name}`;
  } catch (error) {
    if (isProtocolError(error)) return "FIN";
    throw error;
  }
}

test("bounds and time-outs", () => {
  const parameters = table("Parameter", "Client", "Server");
  const values = (start: string): number[] => {
    const row = parameters.find(([name]) => name?.startsWith(start));
    return [numberIn(row?.[1]), numberIn(row?.[2])];
  };
  const { idleTimeoutMs, keepAliveIntervalMs, maxBiStreams, maxUniStreams, maxIncoming } = serverDefaults;
  assert.deepEqual(values("Idle timeout, ms"), [clientDefaults.idleTimeoutMs, idleTimeoutMs]);
  assert.deepEqual(values("PING"), [clientDefaults.keepAliveIntervalMs, keepAliveIntervalMs]);
  assert.equal(values("Bidirectional")[1], maxBiStreams);
  assert.equal(values("Unidirectional")[1], maxUniStreams);
  const words = page.replaceAll(/\s+/g, " ");
  const comma = (number: number): string => number.toLocaleString("en-US");
  for (const sentence of [
    `at most ${comma(limits.framePayloadBytesMax)} bytes`,
    `(max: ${limits.framePayloadBytesMax})`,
    `Read ${limits.frameHeaderBytes} bytes`,
    `Outside 1 to ${limits.frameTypeMax}:`,
    `nesting deeper than ${limits.nestingMax}, and more than ${comma(limits.nestedMessagesMax)} nested messages`,
    `${comma(serverDefaults.frameReadTimeoutMs)} ms from each new byte`,
    `Over ${comma(maxIncoming)} pending handshakes`,
  ]) {
    assert.ok(words.includes(sentence), sentence);
  }
});

test("the same over TCP: headers, codes, texts and bounds", () => {
  const rows = table("What", "QUIC", "HTTP/2");
  const cell = (start: string): string => rows.find(([what]) => what?.startsWith(start))?.[2] ?? "";
  const { ":method": method, ":path": path, "content-type": type } = requestHeaders("localhost:8001");
  assert.equal(cell("opening a call"), `${String(method)} ${String(path)}, content-type: ${String(type)}`);
  const { ":status": status, "content-type": answerType } = answerHeaders;
  assert.equal(cell("what comes before"), `status ${String(status)}, content-type: ${String(answerType)}`);
  assert.equal(cell("giving up, code 0"), `RST_STREAM with CANCEL (${wireCode(0)})`);
  assert.equal(cell("giving up, code c"), `RST_STREAM with ${(wireCode(1) - 1).toLocaleString("en-US")} + c`);
  assert.ok(cell("closing").includes(closeText(7, "r").toString().replace("7 r", "<code> <reason>")));
  const refusal = refusalBytes("TLS_FAILED", "r").subarray(9 + 9 + 4);
  assert.ok(cell("refusing").includes(`(${refusal.readUInt32BE(0)})`));
  assert.ok(cell("refusing").includes(refusal.subarray(4).toString().replace("TLS_FAILED r", "<code> <reason>")));
  const { http2StreamWindowBytes, http2ConnectionWindowBytes, http2HeaderBytesMax } = limits;
  const comma = (number: number): string => number.toLocaleString("en-US");
  assert.equal(cell("receive window"), `${comma(http2StreamWindowBytes)}; ${comma(http2ConnectionWindowBytes)}`);
  const words = page.replaceAll(/\s+/g, " ");
  for (const sentence of [
    `at most ${comma(http2HeaderBytesMax)} bytes`,
    `more than ${comma(limits.http2ResetsBurst)} streams at once, or ${comma(limits.http2ResetsPerSecond)} each second`,
    `Status ${refusedStatus({})} (another path), ${refusedStatus({ ":path": String(path) })} (another method)`,
    `${refusedStatus({ ":path": String(path), ":method": "POST" })} (another content type)`,
  ]) {
    assert.ok(words.includes(sentence), sentence);
  }
});

test("error codes are the names of the answered arms", () => {
  const { requestSchema, answers } = instanceProtocol;
  const answered = requestSchema.fields.filter((field) => answers[field.localName] !== undefined);
  const listed = table("Code", "When").flatMap(([codes = ""]) => codes.split(", "));
  const expected = ["BAD_REQUEST", "EMPTY_REQUEST", ...answered.map((field) => `${field.name.toUpperCase()}_ERROR`)];
  assert.deepEqual(listed.sort(), expected.sort());
});

const armName = ({ requestSchema }: Protocol, localName: string): string =>
  requestSchema.fields.find((field) => field.localName === localName)?.name ?? "";

test("features: all of them, with their calls and fields and what to do without them", () => {
  const actual = featureNames.map((feature) => {
    const calls = protocols.flatMap((protocol) =>
      [...protocol.extensions]
        .filter(([, name]) => name === feature)
        .map(([arm]) => `${protocol.name}.${armName(protocol, arm)}`),
    );
    const { fields, without } = features[feature];
    return [feature, calls.join(", ") || "–", fields.join(", ") || "–", without];
  });
  assert.deepEqual(table("Feature", "Calls"), actual);
});

test("every call that is an extension has an example, and so has its answer", () => {
  for (const protocol of protocols) {
    for (const { typeName, fields } of [protocol.requestSchema, protocol.responseSchema]) {
      const shown = examples.filter(({ message }) => message === typeName).map(({ json }) => armOf(json));
      for (const { name, number } of fields) if (number >= 100) assert.ok(shown.includes(name), `${typeName} ${name}`);
    }
  }
});

test("extension calls that may be repeated", () => {
  const text = page.split("\n### Repeating extension calls\n")[1]?.split(". The others")[0] ?? "";
  const listed = [...text.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  const actual = protocols.flatMap((protocol) =>
    protocol.idempotent.filter((arm) => protocol.extensions.has(arm)).map((arm) => armName(protocol, arm)),
  );
  assert.deepEqual(listed, actual);
});

test("fine codes", () => {
  const listed = table("Fine code", "Cause").map(([code]) => code);
  assert.deepEqual(listed, [...fineCodes]);
});

test("its links lead somewhere", () => {
  const anchors = new Set(
    [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => `#${heading?.toLowerCase().replaceAll(" ", "-")}`),
  );
  const targets = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target ?? "");
  assert.ok(targets.length > 0);
  for (const target of targets) {
    if (target.startsWith("#")) assert.ok(anchors.has(target), target);
    else assert.ok(existsSync(new URL(target, new URL("../../../docs/", import.meta.url))), target);
  }
});
