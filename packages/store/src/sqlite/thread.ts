/** A thread that carries out operations on a connection of its own: the program behind ThreadLink. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { batchSize, bytesOf } from "../engines/batches.ts";
import { limits } from "../limits.ts";
import type { Operation } from "../operations/index.ts";
import { Engine } from "./engine.ts";
import { storeErrorFrom } from "./error-mapping.ts";
import { packNotices } from "./notice-packing.ts";
import { openThreadDatabase } from "./open-database.ts";
import { packError, packOutcomes } from "./outcome-packing.ts";
import { unpackOperations } from "./packing.ts";
import type { FromThread, ThreadStart, ToThread } from "./thread-messages.ts";

const port = parentPort;
if (port === null) throw new Error("this program is a worker thread's");

function tell(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function serve({ path }: ThreadStart): void {
  const database = openThreadDatabase(path);
  const engine = new Engine(database);
  let gathered: Operation[] = [];
  let looking: NodeJS.Timeout | undefined;

  function carryOut(): void {
    while (gathered.length > 0) {
      const size = batchSize(gathered, bytesOf, limits.batchBytesMax);
      const batch = gathered.slice(0, size);
      gathered = gathered.slice(size);
      const outcomes = engine.run(batch);
      const { transactions, statements } = engine;
      const stats = { transactions, statements, walPages: engine.walPages() };
      const packed = packOutcomes(outcomes);
      const notices = packNotices(engine.takeNotices());
      tell({ type: "outcomes", packed, notices, stats }, [packed.slab.buffer as ArrayBuffer]);
      // Whatever has come meanwhile shares the next transaction.
      gather();
    }
  }

  function gather(): void {
    for (;;) {
      const next = port === null ? undefined : receiveMessageOnPort(port);
      if (next === undefined) return;
      take(next.message as ToThread);
    }
  }

  function take(message: ToThread): void {
    if (message.type === "operations") {
      gathered.push(...unpackOperations(message.packed));
      return;
    }
    // The others keep their place behind the operations before them.
    carryOut();
    if (message.type === "watch") watch(message.watched);
    else if (message.type === "checkpoint") checkpoint();
    else close();
  }

  function watch(watched: boolean): void {
    engine.watched = watched;
    clearInterval(looking);
    if (!watched) return;
    looking = setInterval(lookForOthers, limits.pollEveryMs / 2);
    tell({ type: "watching" });
  }

  function lookForOthers(): void {
    engine.lookForOthers();
    const notices = packNotices(engine.takeNotices());
    if (notices !== undefined) tell({ type: "notices", notices });
  }

  function checkpoint(): void {
    try {
      database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // The log stays as long as it is; what is wrong with the disk, the next write says.
    }
    tell({ type: "checkpointed", walPages: engine.walPages(), walPagesLeft: engine.walPagesLeft() });
  }

  function close(): void {
    clearInterval(looking);
    database.close();
    port?.close();
  }

  port?.on("message", (message: ToThread) => {
    take(message);
    gather();
    carryOut();
  });
  tell({ type: "opened" });
}

try {
  serve(workerData as ThreadStart);
} catch (error) {
  tell({ type: "failed", error: packError(storeErrorFrom(error)) });
  port.close();
}
