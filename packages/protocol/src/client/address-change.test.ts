import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const namespace = ["-Urnm", "--kill-child"];

/** Only a Linux that lets its users make networks can change an address without touching the machine's own. */
function canMakeNetworks(): boolean {
  try {
    const tools = "ip link add here type veth peer name there && command -v nsenter";
    execFileSync("unshare", [...namespace, "sh", "-c", tools], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("a QUIC connection outlives a change of the local address by itself, also one that is away for a while", async (t) => {
  if (!canMakeNetworks()) {
    const why = "this system makes no network namespaces";
    assert.notEqual(process.env.CI, "true", `${why}; install iproute2 and util-linux, and allow user namespaces`);
    return t.skip(why);
  }
  const program = new URL("./address-change.test.helper.ts", import.meta.url).pathname;
  const command = [process.execPath, "--conditions=runtara-src", program];
  const { stdout } = await promisify(execFile)("unshare", [...namespace, ...command], { timeout: 60_000 });
  assert.equal(stdout, "survived");
});
