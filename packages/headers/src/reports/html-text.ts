const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Markup that may stand in a page: made by `escaped`, never out of a report. */
export interface Markup {
  readonly markup: string;
}

type Part = string | number | Markup | readonly Markup[];

/** Returns markup in which every value that is no markup itself has been escaped. */
export function escaped(texts: TemplateStringsArray, ...values: readonly Part[]): Markup {
  const parts = texts.map(
    (text, index) => text + (index < values.length ? markupOf(values[index]!) : ""),
  );
  return { markup: parts.join("") };
}

function markupOf(value: Part): string {
  if (typeof value === "string") return value.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? "");
  if (typeof value === "number") return String(value);
  return "markup" in value ? value.markup : value.map(({ markup }) => markup).join("");
}
