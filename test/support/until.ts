const DEADLINE_MS = 3000;

/** Lets the event loop turn until `condition` holds; fails after 3 seconds without it. */
export async function until(condition: () => boolean): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > DEADLINE_MS) {
      throw new Error(`Condition did not come to hold: ${String(condition)}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
