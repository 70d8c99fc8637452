import { type Notice, type Store, StoreError, type StoreStats } from "@runtara/store";

/** A real engine that fails, or keeps silent, when a test says so. */
export class FailingStore implements Store {
  readonly #engine: Store;
  #trouble: "failing" | "silent" | undefined;
  readonly #kept: (() => void)[] = [];
  /** Operations that were failed. */
  failed = 0;

  constructor(engine: Store) {
    this.#engine = engine;
  }

  /** Operations that wait for `recover`. */
  get kept(): number {
    return this.#kept.length;
  }

  /** Every operation fails from now on, changing nothing, as where the database cannot be reached. */
  fail(): void {
    this.#trouble = "failing";
  }

  /** Operations are taken and not carried out, as where the database hangs. */
  hang(): void {
    this.#trouble = "silent";
  }

  /** What was kept is carried out now. */
  recover(): void {
    this.#trouble = undefined;
    for (const submit of this.#kept.splice(0)) submit();
  }

  submit: Store["submit"] = (operation, done) => {
    if (this.#trouble === "silent") {
      this.#kept.push(() => this.#engine.submit(operation, done));
    } else if (this.#trouble === "failing") {
      this.failed += 1;
      setImmediate(() => done(new StoreError("UNAVAILABLE", "the database cannot be reached"), undefined));
    } else {
      this.#engine.submit(operation, done);
    }
  };

  run: Store["run"] = (operation) =>
    new Promise((resolve, reject) => {
      this.submit(operation, (error, result) => {
        if (error === undefined) resolve(result);
        else reject(error);
      });
    });

  flush(): void {
    this.#engine.flush();
  }

  watch(listener: (notice: Notice) => void): () => void {
    return this.#engine.watch(listener);
  }

  stats(): StoreStats {
    return this.#engine.stats();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
