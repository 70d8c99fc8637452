/** One handler's mistake must not cost the others: it becomes an uncaught exception after the batch. */
export function runHandler(handler: () => void): void {
  try {
    handler();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
