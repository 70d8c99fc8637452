// Imports a large file of lines, a block at a time, for hours if need be. Each block is a step whose result says where the next one begins;
// bad lines are kept, not fatal. It can be watched, and cancelled: then it takes back what it has imported.
import { open } from "node:fs/promises";
import { CancelledError, step, type, workflow } from "@runtara/sdk";
import { tableOf } from "./target.ts";

export interface Import {
  path: string;
  target: string;
}

interface Block {
  next: number;
  lines: number;
  bad: string[];
}

const blockBytes = 4_096;

export const importFile = workflow(
  "import",
  { published: { progress: type<{ bytes: number; lines: number }>() } },
  async ({ path, target: name }: Import, ctx) => {
    let [offset, lines] = [0, 0];
    const bad: string[] = [];
    try {
      for (;;) {
        const block = await step("block", (s) => importBlock(path, offset, tableOf(name), s), { key: offset });
        if (block.lines === 0 && block.bad.length === 0) return { lines, bad };
        offset = block.next;
        lines += block.lines;
        bad.push(...block.bad);
        ctx.publish("progress", { bytes: offset, lines });
      }
    } catch (error) {
      // After a cancel everything works again, so that cleaning up is durable, too.
      if (error instanceof CancelledError) await step("clean-up", () => tableOf(name).clear());
      throw error;
    }
  },
);

async function importBlock(
  path: string,
  offset: number,
  table: Map<string, string>,
  s: { heartbeat(): void },
): Promise<Block> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(blockBytes), 0, blockBytes, offset);
  const isLast = bytesRead < blockBytes;
  const text = buffer.toString("latin1", 0, bytesRead);
  const end = isLast ? bytesRead : text.lastIndexOf("\n") + 1;
  const bad: string[] = [];
  let lines = 0;
  for (const line of text.slice(0, end).split("\n")) {
    if (line === "") continue;
    s.heartbeat(); // says that it lives, and throws when the instance is cancelled
    const [id, value] = line.split(";");
    if (id === undefined || value === undefined) bad.push(line);
    else {
      table.set(id, value); // the same id again is the same row: a block that is repeated does no harm
      lines += 1;
    }
  }
  return { next: offset + end, lines, bad };
}
