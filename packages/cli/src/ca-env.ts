import { readTrustAnchor, trustEnvironment } from "@hauberk/cert/trust-store";
import { AUTHORITY_OPTIONS, authorityLocation } from "./authority-options.ts";
import { choice, noPositionals, parseCommand } from "./command.ts";
import { assignment, comment, SHELLS, userShell, type Shell } from "./shell-syntax.ts";

/** `hauberk ca env`: prints what makes programs without a trust store of their own trust the CA. */
export async function caEnv(args: readonly string[]): Promise<void> {
  const options = { ...AUTHORITY_OPTIONS, shell: { type: "string" } } as const;
  const { values, positionals } = parseCommand(args, options);
  noPositionals("ca env", positionals);
  const shell = values.shell === undefined ? userShell() : choice("--shell", values.shell, SHELLS);
  const variables = await trustEnvironment(await readTrustAnchor(authorityLocation(values)));
  const [added, replacing] = [true, false].map((isAdded) =>
    variables
      .filter((variable) => variable.isAdded === isAdded)
      .map(({ name, value }) => assignment(shell, name, value)),
  );
  const lines = [
    comment(shell, "These add the CA to what the program trusts."),
    ...(added ?? []),
    comment(
      shell,
      "These replace what the program trusts: their file holds the CAs of the system too.",
    ),
    ...(replacing ?? []),
    comment(shell, "To set them all:"),
    comment(shell, `  ${USE[shell]}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

const USE: Readonly<Record<Shell, string>> = {
  sh: 'eval "$(hauberk ca env)"',
  fish: "hauberk ca env --shell fish | source",
  powershell: "hauberk ca env --shell powershell | Out-String | Invoke-Expression",
  cmd: `for /f "delims=" %i in ('hauberk ca env --shell cmd') do @%i`,
};
