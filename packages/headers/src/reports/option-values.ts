import { echo } from "../option-checks.ts";

/** Returns `value` if it is a whole number within the bounds; throws naming `path` otherwise. */
export function integerOption(
  path: string,
  value: unknown,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  if (typeof value !== "number") {
    throw new TypeError(`${path} must be a number, got ${echo(value)}`);
  }
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${path} must be a whole number from ${min} to ${max}, got ${echo(value)}`);
}

/** Returns `value` if it is a function; throws a TypeError naming `path` otherwise. */
export function functionOption<F extends (...args: never[]) => unknown>(
  path: string,
  value: unknown,
  byDefault: F,
): F {
  if (value === undefined) return byDefault;
  if (typeof value !== "function") {
    throw new TypeError(`${path} must be a function, got ${echo(value)}`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a function takes cannot be asked
  return value as F;
}

/** Returns `value` if it is an object with these methods; throws a TypeError naming `path` otherwise. */
export function objectOption<T extends object>(
  path: string,
  value: unknown,
  methods: readonly (keyof T & string)[],
): T {
  const isFit =
    typeof value === "object" &&
    value !== null &&
    methods.every((method) => typeof Reflect.get(value, method) === "function");
  if (!isFit) {
    throw new TypeError(`${path} must have the methods ${methods.join(", ")}, got ${echo(value)}`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its methods are there
  return value as T;
}
