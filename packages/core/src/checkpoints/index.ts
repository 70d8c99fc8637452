export type * from "./batch-service.ts";
export type * from "./checkpoint-service.ts";
export type { IncomingMessage } from "./outgoing.ts";
export type * from "./own-checkpoints.ts";
