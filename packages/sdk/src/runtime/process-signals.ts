const signals = ["SIGTERM", "SIGINT"] as const;

/**
 * Closes on SIGTERM and SIGINT; then the signal does what it would have done, unless somebody else listens for it. A second one ends the
 * process at once. The result stops listening.
 */
export function closeOnSignals(close: () => Promise<void>): () => void {
  let isClosing = false;
  const stop = (): void => {
    for (const signal of signals) process.off(signal, heard);
  };
  const end = (signal: NodeJS.Signals): void => {
    stop();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const heard = (signal: NodeJS.Signals): void => {
    if (isClosing) {
      end(signal);
      return;
    }
    isClosing = true;
    const over = (): void => end(signal);
    close().then(over, over);
  };
  for (const signal of signals) process.on(signal, heard);
  return stop;
}
