/** Returns a flat list `[name, value, ...]` as an object, or throws when a name comes twice. */
export function byName(fields: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? "";
    if (Object.hasOwn(values, name)) throw new Error(`${name} appears twice`);
    values[name] = fields[index + 1] ?? "";
  }
  return values;
}
