export type * from "./signal-service.ts";
