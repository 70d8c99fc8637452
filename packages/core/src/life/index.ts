export type * from "./event-service.ts";
export type * from "./sleep-service.ts";
export type * from "./status-service.ts";
export type * from "./suspend-service.ts";
