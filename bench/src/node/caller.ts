/** A client that a load is made of. */
export interface Caller {
  /** One call; rejects if the answer is not the right one. */
  call(): Promise<void>;
  close(): Promise<void>;
}

/** What every caller asks for and checks the answer against. */
export const instanceId = "load-instance";
