import { readTrustAnchor, trustEnvironment } from "@hauberk/cert/trust-store";
import { AUTHORITY_OPTIONS, authorityLocation, locationArguments } from "./authority-options.ts";
import { choice, noPositionals, parseCommand } from "./command.ts";
import { assignment, commandLine, comment, SHELLS, userShell, type Shell } from "./shell-syntax.ts";

/** `hauberk ca env`: prints what makes programs without a trust store of their own trust the CA. */
export async function caEnv(args: readonly string[]): Promise<void> {
  const options = { ...AUTHORITY_OPTIONS, shell: { type: "string" } } as const;
  const { values, positionals } = parseCommand(args, options);
  noPositionals("ca env", positionals);
  const shell = values.shell === undefined ? userShell() : choice("--shell", values.shell, SHELLS);
  const location = authorityLocation(values);
  const variables = await trustEnvironment(await readTrustAnchor(location));
  const again = ["ca", "env", "--shell", shell, ...locationArguments(location)];
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
    comment(shell, `  ${USE[shell](commandLine(shell, { program: "hauberk", args: again }))}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** How a shell runs the lines that a command prints. */
const USE: Readonly<Record<Shell, (command: string) => string>> = {
  sh: (command) => `eval "$(${command})"`,
  fish: (command) => `${command} | source`,
  powershell: (command) => `${command} | Out-String | Invoke-Expression`,
  cmd: (command) => `for /f "delims=" %i in ('${command}') do @%i`,
};
