import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const packageDir = fileURLToPath(new URL("../", import.meta.url));

interface Outcome {
  code: number;
  output: string;
}

/** Runs the script on a copy of the package in which `change` has been made. */
async function checkProto(change: (directory: string) => void): Promise<Outcome> {
  const root = mkdtempSync(join(tmpdir(), "check-proto-"));
  try {
    const copy = join(root, "packages/protocol");
    mkdirSync(copy, { recursive: true });
    for (const part of ["proto", "proto-base", "scripts", "src/gen", "buf.yaml", "buf.gen.yaml"]) {
      cpSync(join(packageDir, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(packageDir, "../../node_modules"), join(root, "node_modules"));
    change(copy);
    return await new Promise((resolve) => {
      execFile(join(copy, "scripts/check-proto"), (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error ? -1 : 0;
        resolve({ code, output: stdout + stderr });
      });
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}

const instanceProto = "proto/runtara/instance/instance.proto";

test("the .proto files, the frozen image and the generated code agree", async () => {
  const { code, output } = await checkProto(() => undefined);
  assert.equal(code, 0, output);
});

const broken: [name: string, change: (directory: string) => void, says: RegExp][] = [
  [
    "a number that changes",
    (copy) => edit(join(copy, instanceProto), "CheckpointRequest checkpoint = 8", "CheckpointRequest checkpoint = 18"),
    /would break 1\.4\.1 peers/,
  ],
  [
    "a field that changes its type",
    (copy) => edit(join(copy, instanceProto), "uint64 duration_ms = 2", "string duration_ms = 2"),
    /would break 1\.4\.1 peers/,
  ],
  [
    "generated code that is not from these files",
    (copy) => edit(join(copy, "src/gen/runtara/instance/instance_pb.ts"), "protoc-gen-es", "hand"),
    /src\/gen is out of date: run npm run generate/,
  ],
  [
    "a name that buf lint refuses",
    (copy) => edit(join(copy, instanceProto), "message SleepResponse {}", "message sleep_response {}"),
    /buf lint found the problems above/,
  ],
];
for (const [name, change, says] of broken) {
  test(`check-proto refuses ${name}`, async () => {
    const { code, output } = await checkProto(change);
    assert.equal(code, 1, output);
    assert.match(output, says);
  });
}
