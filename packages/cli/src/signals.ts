/**
 * Resolves at the first SIGINT or SIGTERM, after `onFirst`; the second one ends the process at once.
 * Does not keep the process alive.
 */
export function untilSignal(onFirst: () => void): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (isStopping) process.exit(1);
        isStopping = true;
        onFirst();
        resolve();
      });
    }
  });
}
