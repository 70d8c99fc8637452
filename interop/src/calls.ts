// SPDX-License-Identifier: AGPL-3.0-or-later
// The rows and columns of the matrix: which call is proved in which direction.

/** A direction's key and how the matrix names it: who calls → who answers. */
export const directions = {
  sdkToOurCore: "Rust SDK → our core",
  ourSdkToCore: "our SDK → Rust core",
  clientToOurServer: "Rust client → our QuicServer",
  ourClientToServer: "our QuicClient → Rust server",
} as const;

export type Direction = keyof typeof directions;

const sdk: readonly Direction[] = ["sdkToOurCore", "ourSdkToCore"];
const transport: readonly Direction[] = ["clientToOurServer", "ourClientToServer"];
const all: readonly Direction[] = [...sdk, ...transport];

/** Every row with the directions in which the call exists. */
export const calls = {
  connect: all,
  "register instance": all,
  "registration refused": all,
  "checkpoint saved": sdk,
  "checkpoint found": all,
  "get checkpoint": all,
  sleep: all,
  "event: heartbeat": all,
  "event: custom": all,
  "event: completed": all,
  "event: failed": all,
  "event: suspended": all,
  "event batch": transport,
  "poll signals": all,
  "signal with a checkpoint": all,
  "custom signal": all,
  "check cancelled": sdk,
  "check paused": sdk,
  "signal acknowledged": all,
  "retry attempt": all,
  "instance status": all,
  "status of an unknown id": sdk,
  "error answer": all,
  "durable function": sdk,
  "durable function, retried": sdk,
  "answer is FIN alone": transport,
  "fire and forget": transport,
  "300 calls at once": transport,
  "60 MiB in a frame": all,
  "raw bytes after a frame": transport,
  "connection closed by the client": all,
  "connection closed by the server": transport,
  "server started again": all,
  "extension calls refused": ["ourSdkToCore"],
  "extension fields passed over": ["ourSdkToCore"],
  "workflow run": ["ourSdkToCore"],
  "workflow cancelled": ["ourSdkToCore"],
  "workflow resumed": ["ourSdkToCore"],
} as const satisfies Record<string, readonly Direction[]>;

export type Call = keyof typeof calls;

/** The title of the test that proves one cell. */
export function cellTitle(direction: Direction, call: Call): string {
  return `${directions[direction]}: ${call}`;
}
