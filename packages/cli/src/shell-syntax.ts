import { misuse } from "./misuse.ts";

/** A shell that `hauberk ca env` can speak to. */
export type Shell = "sh" | "fish" | "powershell" | "cmd";

export const SHELLS: readonly Shell[] = ["sh", "fish", "powershell", "cmd"];

interface Syntax {
  /** Starts a line that the shell passes over. */
  readonly comment: string;
  /** A word that needs no quotes. */
  readonly plain: RegExp;
  /** Puts a text between quotes, whatever it holds. */
  readonly quote: (text: string) => string;
  /** Stands before a quoted word that is to be run rather than printed. */
  readonly call: string;
  readonly assign: (name: string, value: string) => string;
}

const POSIX_PLAIN = /^[\w@%+=:,./-]+$/;
/** To PowerShell a comma makes a list and "@" starts one; cmd takes "=" and "," for blanks. */
const WINDOWS_PLAIN = /^[\w:./\\-]+$/;

const SYNTAX: Readonly<Record<Shell, Syntax>> = {
  sh: {
    comment: "# ",
    plain: POSIX_PLAIN,
    quote: quoteForSh,
    call: "",
    assign: (name, value) => `export ${name}=${quoteForSh(value)}`,
  },
  fish: {
    comment: "# ",
    plain: POSIX_PLAIN,
    quote: quoteForFish,
    call: "",
    assign: (name, value) => `set -gx ${name} ${quoteForFish(value)}`,
  },
  powershell: {
    comment: "# ",
    plain: WINDOWS_PLAIN,
    quote: quoteForPowershell,
    call: "& ",
    assign: (name, value) => `$env:${name} = ${quoteForPowershell(value)}`,
  },
  cmd: {
    comment: "rem ",
    plain: WINDOWS_PLAIN,
    quote: quoteForCmd,
    call: "",
    assign: (name, value) => `set ${quoteForCmd(`${name}=${value}`)}`,
  },
};

/** Returns the shell that this user most likely types into. */
export function userShell(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): Shell {
  if (platform === "win32") return "powershell";
  return /(?:^|\/)fish$/.test(env["SHELL"] ?? "") ? "fish" : "sh";
}

/** Returns the line that sets an environment variable for the programs started afterwards. */
export function assignment(shell: Shell, name: string, value: string): string {
  return SYNTAX[shell].assign(name, value);
}

/** Returns a line that the shell passes over. */
export function comment(shell: Shell, text: string): string {
  return `${SYNTAX[shell].comment}${text}`;
}

/** Returns a command as it can be pasted into a shell. */
export function commandLine(
  shell: Shell,
  { program, args }: { readonly program: string; readonly args: readonly string[] },
): string {
  const { plain, quote, call } = SYNTAX[shell];
  const word = (text: string): string => (plain.test(text) ? text : quote(text));
  const start = plain.test(program) ? program : `${call}${quote(program)}`;
  return [start, ...args.map(word)].join(" ");
}

function quoteForSh(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function quoteForFish(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}

/** PowerShell takes typographic quotes for the plain one. */
function quoteForPowershell(text: string): string {
  return `'${text.replaceAll(/['\u2018-\u201B]/g, "$&$&")}'`;
}

/** There is no way to write a percent sign that works both at the prompt and in a file. */
function quoteForCmd(text: string): string {
  if (/["%\r\n]/.test(text)) {
    throw misuse(`cmd cannot take ${JSON.stringify(text)}; use --shell powershell`);
  }
  return `"${text}"`;
}
