/** Time as everything in the SDK sees it. A test brings its own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once, about `delayMs` later; may be early. The result takes it back. */
  after(delayMs: number, action: () => void): () => void;
}

/** Work in progress, for a test kit that wants to know when nothing can go on without time or signals. Production's is a no-op. */
export interface Activity {
  /** Something is under way until the result is called; calling it twice is nothing. */
  begin(): () => void;
}
