import { parseSubjectNames, type SubjectName } from "@hauberk/cert";
import fc from "fast-check";

/** Texts that look like certificate names, good and bad, and texts that do not. */
export function anyName(): fc.Arbitrary<string> {
  const label = fc.string({ unit: fc.constantFrom(...Array.from("ab-1_xnüßЖ.*")), maxLength: 8 });
  return fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.domain(),
    fc.domain().map((domain) => `*.${domain}`),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.emailAddress(),
    fc.webUrl().map((url) => url.replace(/^https?/, "spiffe")),
    fc.tuple(label, label).map(([a, b]) => `${a}.${b}test`),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.map((group) => (group % 3 === 0 ? 0 : group).toString(16)).join(":")),
  );
}

/** Returns a name in canonical form, or undefined when it is refused. */
export function parseName(name: string): SubjectName | undefined {
  try {
    return parseSubjectNames([name])[0];
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
