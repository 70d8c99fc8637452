// One of several processes that start on the same database at once: prepares it, says whether it had something to do, and ends.
import { TestConnections } from "../connections/connections.test.helper.ts";
import { prepareSchema } from "./index.ts";

await using test = await TestConnections.to(process.argv[2] ?? "");
const done: string[] = [];
await prepareSchema(test.connections, (text) => done.push(text));
const [[rows] = []] = await test.rows("SELECT count(*) FROM instances");
process.stdout.write(`${JSON.stringify({ did: done.length > 0, rows })}\n`);
