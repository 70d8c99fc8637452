export type * from "./registration-service.ts";
