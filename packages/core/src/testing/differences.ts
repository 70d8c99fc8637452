import { anyText, type Json } from "./compare.ts";
import type { EngineName } from "./conversation.ts";

/** What we answer instead of a recorded answer, and why. `*` stands for any text. */
export interface Difference {
  readonly answer: Json;
  readonly why: string;
}

type Entries = readonly (readonly [call: string, answer: Json])[];

function because(why: string, entries: Entries): [string, Difference][] {
  return entries.map(([call, answer]) => [call, { answer, why }]);
}

function status(instance_id: string, word: string, more: { readonly [name: string]: Json } = {}): Json {
  return { get_instance_status: { instance_id, status: `STATUS_${word}`, ...more } };
}

const unknown = (instance_id: string): Json => ({ get_instance_status: { instance_id, error: "Instance not found" } });
const refused = (error: string): Json => ({ register_instance: { error } });
const rpcError = (code: string, message: string): Json => ({ error: { code, message } });
const badRequest = rpcError("BAD_REQUEST", anyText);
const finalState = (id: string, word: string): Json =>
  refused(`Instance '${id}' is in invalid state: expected 'pending, running or suspended', got '${word}'`);

const earlierLife = { finished_at_ms: "1767225602000", output: "b3V0", error: "err" };
const started = { started_at_ms: anyText };
const finished = { ...started, finished_at_ms: anyText };
const ended = { started_at_ms: "1767225601000", finished_at_ms: "1767225602000", output: "bw==", error: "e" };
const noNul = (field: string): string => `Validation error for '${field}': ${field} must not contain U+0000`;
const tooLong = (field: string): string =>
  `Validation error for '${field}': ${field} has 6000 bytes; at most 2704 are allowed`;

const malformed = [
  "23 / truncated inner message",
  "24 / inner length beyond the end",
  "25 / string length beyond the inner end",
  "26 / string not UTF-8",
  "27 / string with a surrogate",
  "28 / member with wire type varint",
  "29 / string field with wire type varint",
  "30 / varint of eleven bytes",
  "31 / tag cut off",
  "32 / field number 0",
  "33 / wire type 6",
  "34 / wire type 7",
  "35 / end of a group that never began",
  "36 / group never closed",
  "37 / unknown field cut off",
  "38 / text",
  "39 / JSON",
  "40 / 0xff bytes",
  "41 / malformed and not finished",
];

const sameIds = "Both engines take the same ids: no U+0000, at most 2,704 bytes, as PostgreSQL holds them.";
const anyFailure = "A failure is recorded whatever its text is: U+0000, which PostgreSQL cannot hold, becomes U+FFFD.";
const rightType = "An acknowledgement needs the pending signal to be of its type; with none pending it does nothing.";
const closedSets = "The schema takes none but the six states and the three signals.";

const onBoth = [
  ...because("A registration clears what an earlier life of the instance has left.", [
    [
      "register from every state / 2 / pending: after",
      status("from-pending", "RUNNING", { checkpoint_id: "cp0", ...started }),
    ],
    [
      "register from every state / 5 / running: after",
      status("from-running", "RUNNING", { checkpoint_id: "cp0", ...started }),
    ],
    [
      "register from every state / 8 / suspended: after",
      status("from-suspended", "RUNNING", { checkpoint_id: "cp0", ...started }),
    ],
  ]),
  ...because("I4: final states are final, so a finished instance cannot register again.", [
    ["register from every state / 10 / register from-completed", finalState("from-completed", "completed")],
    [
      "register from every state / 11 / completed: after",
      status("from-completed", "COMPLETED", { checkpoint_id: "cp0", ...started, ...earlierLife }),
    ],
    ["register from every state / 13 / register from-failed", finalState("from-failed", "failed")],
    [
      "register from every state / 14 / failed: after",
      status("from-failed", "FAILED", { checkpoint_id: "cp0", ...started, ...earlierLife }),
    ],
    ["register from every state / 16 / register from-cancelled", finalState("from-cancelled", "cancelled")],
    [
      "register from every state / 17 / cancelled: after",
      status("from-cancelled", "CANCELLED", { checkpoint_id: "cp0", ...started, ...earlierLife }),
    ],
  ]),
  ...because(sameIds, [
    ["ids at the edge / 3 / register with NUL in the id", refused(noNul("instance_id"))],
    ["ids at the edge / 4 / status of an id with NUL", unknown("a\0b")],
    ["ids at the edge / 6 / checkpoint of an id with NUL", rpcError("CHECKPOINT_ERROR", "Instance 'a\0b' not found")],
    ["ids at the edge / 7 / event of an id with NUL", rpcError("INSTANCE_EVENT_ERROR", "Instance 'a\0b' not found")],
    ["ids at the edge / 8 / register with a NUL in the tenant", refused(noNul("tenant_id"))],
    ["ids at the edge / 10 / register with 6000 characters", refused(tooLong("instance_id"))],
    ["ids at the edge / 14 / checkpoint id of 6000 characters", rpcError("CHECKPOINT_ERROR", tooLong("checkpoint_id"))],
    ["ids at the edge / 16 / checkpoint id with NUL", rpcError("CHECKPOINT_ERROR", noNul("checkpoint_id"))],
    ["ids at the edge / 17 / get checkpoint id with NUL", { get_checkpoint: {} }],
    ["ids at the edge / 18 / event subtype with NUL", rpcError("INSTANCE_EVENT_ERROR", noNul("subtype"))],
  ]),
  ...because(anyFailure, [
    [
      "ids at the edge / 20 / status after failed with NUL",
      status("edge-ids", "FAILED", { checkpoint_id: anyText, ...finished, error: "x\u{FFFD}y" }),
    ],
  ]),
  ...because("I4: an event on a finished instance is stored and answered; status, output and error stay.", [
    [
      "events change the status / 10 / after suspended again: finished_at, output stay",
      status("ev-1", "COMPLETED", { ...finished, output: "eyJvayI6dHJ1ZX0=" }),
    ],
    [
      "events change the status / 12 / after failed: output gone",
      status("ev-1", "COMPLETED", { ...finished, output: "eyJvayI6dHJ1ZX0=" }),
    ],
    [
      "events change the status / 14 / after completed: error gone, no output",
      status("ev-1", "COMPLETED", { ...finished, output: "eyJvayI6dHJ1ZX0=" }),
    ],
    [
      "events change the status / 16 / after completed with binary output",
      status("ev-1", "COMPLETED", { ...finished, output: "eyJvayI6dHJ1ZX0=" }),
    ],
    [
      "events at the edge / 13 / error text for a binary payload",
      status("ev-2", "FAILED", { ...finished, error: "Unknown error" }),
    ],
  ]),
  ...because("The cause is named instead of a database's foreign key.", [
    ["events at the edge / 1 / unknown instance", rpcError("INSTANCE_EVENT_ERROR", "Instance 'nobody' not found")],
    [
      "events at the edge / 2 / unknown instance, completed",
      rpcError("INSTANCE_EVENT_ERROR", "Instance 'nobody' not found"),
    ],
  ]),
  ...because("An instance that has ended has an end time.", [
    [
      "signals are delivered until acknowledged / 17 / after the cancel ack: cancelled, no finished_at",
      status("sig-1", "CANCELLED", { checkpoint_id: "a", ...finished }),
    ],
  ]),
  ...because(rightType, [
    ["acknowledgements / 4 / status is cancelled", status("ack-2", "RUNNING")],
    ["acknowledgements / 6 / status is cancelled without a signal", status("ack-3", "RUNNING")],
    ["acknowledgements / 8 / an unknown number counts as cancel", status("ack-4", "RUNNING")],
    [
      "acknowledgements / 15 / pending became cancelled, the rest stays",
      status("ack-pending", "PENDING", { started_at_ms: "1767225601000", output: "bw==", error: "e" }),
    ],
    [
      "acknowledgements / 17 / suspended became cancelled, the rest stays",
      status("ack-suspended", "SUSPENDED", { started_at_ms: "1767225601000", output: "bw==", error: "e" }),
    ],
    ["acknowledgements / 19 / completed became cancelled, the rest stays", status("ack-completed", "COMPLETED", ended)],
    ["acknowledgements / 21 / failed became cancelled, the rest stays", status("ack-failed", "FAILED", ended)],
    ["fire and forget / 3 / the ack was executed", status("faf-1", "RUNNING", started)],
  ]),
  ...because("Retry records live in a table of their own: they take no id from an application.", [
    ["retry attempts / 10 / an application id that collides", { checkpoint: {} }],
  ]),
  ...because(
    "A payload that is no request is told so instead of being met with silence.",
    malformed.map((call) => [`malformed input / ${call}`, badRequest]),
  ),
];

const onSqlite = [
  ...because(sameIds, [
    [
      "ids at the edge / 15 / the pointer after a refused save",
      status("edge-ids", "RUNNING", { checkpoint_id: anyText, ...started }),
    ],
  ]),
  ...because(closedSets, [
    ["status / 10 / a stored text outside the six", unknown("st-odd")],
    ["signals are delivered until acknowledged / 24 / a stored type outside the three, polled", { poll_signals: {} }],
  ]),
  ...because("I6: an acknowledged signal is not delivered again, as on the original's PostgreSQL.", [
    ["signals are delivered until acknowledged / 11 / after the ack", { poll_signals: {} }],
    [
      "signals are delivered until acknowledged / 12 / checkpoint after the ack",
      { checkpoint: { found: true, state: "MQ==" } },
    ],
    ["signals are delivered until acknowledged / 18 / poll after the cancel ack", { poll_signals: {} }],
  ]),
  ...because("A retry record is found with an empty state, as on the original's PostgreSQL.", [
    ["retry attempts / 8 / get the record of attempt 1", { get_checkpoint: { found: true } }],
  ]),
];

const onPostgres = [
  ...because(
    "Nothing has an id with U+0000, and asking for it is no failure of the database, as on the original's SQLite.",
    [
      ["ids at the edge / 5 / poll an id with NUL", { poll_signals: {} }],
      ["ids at the edge / 9 / register with a NUL in checkpoint_id", refused("Checkpoint 'c\0' not found")],
    ],
  ),
  ...because(anyFailure, [
    ["ids at the edge / 19 / failed with NUL in the text", { instance_event: { success: true } }],
  ]),
  ...because(rightType, [
    ["acknowledgements / 2 / poll after the mismatched ack", { poll_signals: { signal: { instance_id: "ack-1" } } }],
  ]),
];

/** By the engine that was recorded and that we are held to it on: `scenario / number of the call / its name` → difference. */
export const differences: Readonly<Record<EngineName, Readonly<Record<string, Difference>>>> = {
  sqlite: Object.fromEntries([...onBoth, ...onSqlite]),
  postgres: Object.fromEntries([...onBoth, ...onPostgres]),
};

/** Setup that our schema refuses: `scenario / number of the call` → why. */
export const refusedSetups: Readonly<Record<EngineName, Readonly<Record<string, string>>>> = {
  sqlite: {
    "status / 10": closedSets,
    "signals are delivered until acknowledged / 24": closedSets,
  },
  // The original's own tables are as strict.
  postgres: {},
};
