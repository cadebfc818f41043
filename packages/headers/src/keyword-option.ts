import { oneOf, optionRecord } from "./option-checks.ts";

/** A header whose value is one keyword, chosen by one key of its options. */
export interface KeywordHeader<Keyword extends string> {
  readonly key: string;
  /** The first is what `true` stands for where the preset does not send the header. */
  readonly keywords: readonly [Keyword, ...Keyword[]];
  readonly preset: Keyword | false;
}

/** Returns the keyword to send, or false when the header is switched off. */
export function keywordOption<Keyword extends string>(
  path: string,
  option: unknown,
  header: KeywordHeader<Keyword>,
): Keyword | false {
  if (option === undefined) return header.preset;
  if (option === false) return false;
  const given =
    option === true
      ? undefined
      : optionRecord(path, option, { [header.key]: true }).get(header.key);
  if (given === undefined) return header.preset === false ? header.keywords[0] : header.preset;
  return oneOf(`${path}.${header.key}`, given, header.keywords);
}
