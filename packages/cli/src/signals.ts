/**
 * Resolves at the first SIGINT or SIGTERM, after `onFirst`; the second one ends the process at once.
 * Keeps the process alive until then.
 */
export function untilSignal(onFirst: () => void = () => undefined): Promise<void> {
  const alive = setInterval(() => undefined, 2 ** 30);
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (isStopping) process.exit(1);
        isStopping = true;
        clearInterval(alive);
        onFirst();
        resolve();
      });
    }
  });
}
