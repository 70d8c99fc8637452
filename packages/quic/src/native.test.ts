import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { callFaults, closedBy, nativeErrorCodes } from "./errors.ts";
import { clientTransport } from "./limits.ts";
import { commandWords, eventKind, eventWords, native, operation } from "./native.ts";
import { frameDefaults } from "./options.ts";

const rust = (file: string): string => readFileSync(new URL(`../native/src/${file}`, import.meta.url), "utf8");
const here = (file: string): string => readFileSync(new URL(file, import.meta.url), "utf8");

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/^_/, "");
}

/** The variants of a Rust enum in their order, in snake case. */
function variants(source: string, name: string): string[] {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(source)?.[1] ?? "";
  return [...body.matchAll(/^\s*([A-Z]\w*)(?: = \d+)?,/gm)].map((match) => snake(match[1] ?? ""));
}

test("the two sides of the bridge list the same functions in the same order", () => {
  const theirs = [...rust("bridge.rs").matchAll(/#\[napi\(catch_unwind\)\]\s*pub fn (\w+)/g)].map((match) => match[1]);
  const declared = /interface Native \{([\s\S]*?)\n\}/.exec(here("./native.ts"))?.[1] ?? "";
  const ours = [...declared.matchAll(/^ {2}(\w+)\(/gm)].map((match) => snake(match[1] ?? ""));
  assert.deepEqual(ours, theirs);
  assert.ok(ours.length > 0);
});

test("the two sides of the bridge agree on every number", () => {
  const events = Object.entries(eventKind).map(([name, number]) => `${snake(name)} ${number}`);
  assert.deepEqual(
    variants(rust("events.rs"), "EventKind").map((name, index) => `${name} ${index + 1}`),
    events,
  );
  const operations = Object.entries(operation).map(([name, number]) => `${snake(name)} ${number}`);
  assert.deepEqual(
    variants(rust("command.rs"), "Operation").map((name, index) => `${name} ${index + 1}`),
    operations,
  );
  const kinds = variants(rust("failure.rs"), "Kind").map((name) => name.toUpperCase());
  assert.deepEqual(kinds, nativeErrorCodes);
  assert.deepEqual(variants(rust("failure.rs"), "EndedBy"), closedBy);
  assert.equal(variants(rust("frame.rs"), "Fault").length, callFaults.length - 1);
  assert.match(rust("events.rs"), new RegExp(`RECORD_WORDS: usize = ${eventWords};`));
  assert.match(rust("command.rs"), new RegExp(`COMMAND_WORDS: usize = ${commandWords};`));
});

/** The fields of a Rust struct or a TypeScript interface, in snake case. */
function fields(source: string, pattern: RegExp, field: RegExp): string[] {
  const body = pattern.exec(source)?.[1] ?? "";
  return [...body.matchAll(field)].map((match) => snake(match[1] ?? ""));
}

test("the two sides of the bridge list the same fields in the same order", () => {
  const structs = [
    ["options.rs", "TransportOptions", "./options.ts", "TransportOptions"],
    ["options.rs", "FrameOptions", "./options.ts", "FrameOptions"],
    ["options.rs", "ListenOptions", "./native.ts", "NativeListenOptions"],
    ["options.rs", "ConnectOptions", "./native.ts", "NativeConnectOptions"],
    ["certificate.rs", "CertificateOptions", "./native.ts", "NativeCertificateOptions"],
    ["bridge.rs", "EndpointStats", "./native.ts", "EndpointStats"],
    ["bridge.rs", "ConnectionStats", "./native.ts", "ConnectionStats"],
  ] as const;
  for (const [file, name, ourFile, ourName] of structs) {
    const theirs = fields(rust(file), new RegExp(`pub struct ${name} \\{([^}]*)\\}`), /^ {4}pub (\w+):/gm);
    const ours = fields(
      here(ourFile),
      new RegExp(`interface ${ourName} \\{([^}]*)\\n\\}`),
      /^ {2}readonly (\w+)\??:/gm,
    );
    assert.deepEqual(ours, theirs, name);
    assert.ok(ours.length > 0, name);
  }
});

test("every native function may be used after the endpoint's end", () => {
  const addon = native();
  const options = {
    host: "127.0.0.1",
    port: 9,
    serverName: "localhost",
    verify: "skip",
    connectTimeoutMs: 1000,
    isResuming: true,
  };
  const handle = addon.clientConnect({ ...options, transport: clientTransport, frame: frameDefaults }, () => {});
  addon.endpointDispose(handle);
  addon.endpointDispose(handle);
  const commands = Uint32Array.of(operation.call, 0, 0, 0, 1, 0);
  addon.endpointSubmit(handle, commands, 1, new Uint8Array(8), 0, null);
  const records = new Uint8Array(4 + 4 * eventWords);
  assert.equal(addon.endpointDrain(handle, records), null);
  assert.deepEqual([...records.subarray(0, 4)], [0, 0, 0, 0]);
  assert.throws(() => addon.endpointTakeLarge(handle), /disagree/);
  assert.equal(addon.endpointStats(handle).connections, 0);
});

test("arguments that do not belong together are refused", () => {
  const addon = native();
  const options = {
    host: "127.0.0.1",
    port: 9,
    serverName: "localhost",
    verify: "skip",
    connectTimeoutMs: 1000,
    isResuming: true,
  };
  const handle = addon.clientConnect({ ...options, transport: clientTransport, frame: frameDefaults }, () => {});
  const one = new Uint32Array(commandWords);
  assert.throws(() => addon.endpointSubmit(handle, one, 2, new Uint8Array(8), 0, null), /disagree/);
  assert.throws(() => addon.endpointSubmit(handle, one, 1, new Uint8Array(8), 9, null), /disagree/);
  assert.throws(() => Reflect.apply(addon.endpointDrain, undefined, [{}, new Uint8Array(8)]));
  assert.throws(() => Reflect.apply(addon.endpointStats, undefined, [undefined]));
  addon.endpointDispose(handle);
});
