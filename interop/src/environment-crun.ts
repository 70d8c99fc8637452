// SPDX-License-Identifier: AGPL-3.0-or-later
// The `crun` that the original's environment finds: the real one behind a wrapper, with a state folder of its own.
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export class Crun implements AsyncDisposable {
  /** For the front of PATH. */
  readonly folder: string;
  readonly #program: string;

  /** Makes the wrapper in `parent`. */
  constructor(parent: string) {
    this.folder = join(parent, "crun-bin");
    this.#program = join(this.folder, "crun");
    const root = join(parent, "crun-state");
    const launches = join(parent, "crun-launches");
    for (const folder of [this.folder, root, launches]) mkdirSync(folder);
    writeFileSync(this.#program, wrapper(root, launches), { mode: 0o755 });
  }

  /** Ends what still runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { stdout } = await run(this.#program, ["list", "--quiet"]);
    for (const id of stdout.split("\n").filter((line) => line !== ""))
      await run(this.#program, ["delete", "--force", id]).catch(() => undefined);
  }
}

/**
 * crun refuses a cgroup2 mount beside those of version 1, so it is hidden from it. And the environment takes a container
 * for finished that does not exist yet when it first asks, and deletes it: `state` is asked again after 200 ms, and for
 * as long as the `crun run` of that container lives (its process id is noted at the launch, `exec` keeps it).
 */
function wrapper(root: string, launches: string): string {
  return `#!/bin/sh
for last; do :; done
crun() {
  exec unshare --mount sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"' sh \\
    env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin crun --root '${root}' "$@"
}
case $1 in
run) echo $$ >'${launches}'/"$last" ;;
state)
  (crun "$@") 2>/dev/null && exit
  sleep 0.2
  while kill -0 "$(cat '${launches}'/"$last" 2>/dev/null)" 2>/dev/null; do
    (crun "$@") 2>/dev/null && exit
    sleep 0.2
  done ;;
esac
crun "$@"
`;
}
