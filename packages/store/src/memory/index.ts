/** The engine in memory: the reference that the others are compared with, and a store for tests. */
export { type MemoryStore, openMemoryStore } from "./memory-store.ts";
