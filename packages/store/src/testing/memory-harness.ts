import { MemoryDatabase } from "../memory/database.ts";
import { InMemoryStore } from "../memory/memory-store.ts";
import type { StoreHarness } from "./harness.ts";

/** A database in memory that several stores can open, one after the other or at once. */
export async function memoryHarness(): Promise<StoreHarness> {
  const database = new MemoryDatabase();
  return { open: async () => new InMemoryStore(database), dispose: async () => {} };
}
