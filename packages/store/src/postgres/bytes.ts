/** What NULL bytes mean where the port promises bytes. */
export const emptyBytes: Uint8Array = new Uint8Array(0);
