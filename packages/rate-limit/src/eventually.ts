/** A value, or the promise of one. */
export type Eventually<T> = T | PromiseLike<T>;

/** Tells whether a value is yet to come. */
export function isPromiseLike<T>(value: Eventually<T>): value is PromiseLike<T> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

function isThere<T>(value: Eventually<T>): value is T {
  return !isPromiseLike(value);
}

/** Uses a value at once, or when its promise is kept: waiting for one that is there costs a turn. */
export function whenKnown<T, R>(
  value: Eventually<T>,
  use: (value: T) => Eventually<R>,
): Eventually<R> {
  return isPromiseLike(value) ? value.then(use) : use(value);
}

/** Returns the values at once when none of them is a promise. */
export function allKnown<T>(values: readonly Eventually<T>[]): Eventually<readonly T[]> {
  return values.every((value) => isThere(value)) ? values : Promise.all(values);
}
