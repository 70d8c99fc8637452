import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { exportHistory } from "@runtara/sdk/testing";
import { failAs } from "./fail-as.ts";
import { type OperatorOptions, operatorOf } from "./operator.ts";

export interface ExportOptions extends OperatorOptions {
  readonly output?: string;
}

/** `runtara export ID`: the history of an instance as JSON lines. */
export async function exportInstance(id: string, options: ExportOptions): Promise<void> {
  try {
    const opened = await operatorOf(options);
    try {
      await write(exportHistory(opened, id), options.output);
    } finally {
      await opened.close();
    }
  } catch (error) {
    failAs(error);
  }
}

async function write(lines: AsyncIterable<string>, output: string | undefined): Promise<void> {
  // Nothing is written over before the instance is known.
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  const target = output === undefined ? process.stdout : createWriteStream(output);
  for (let line = first; line.done !== true; line = await iterator.next()) {
    if (!target.write(line.value)) await once(target, "drain");
  }
  if (target === process.stdout) return;
  target.end();
  await finished(target);
}
