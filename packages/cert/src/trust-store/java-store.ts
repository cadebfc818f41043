import { findProgram, pathsOf, type Command, type Machine } from "./machine.ts";
import { anchorLabel, holdsAnchor, type TrustAnchor } from "./trust-anchor.ts";
import { lastWords, type Mechanism, type Step } from "./trust-store.ts";

/** Environment variable with the password of the keystore. */
const PASSWORD_VARIABLE = "HAUBERK_JAVA_STOREPASS";
/** What every JDK is shipped with. */
const DEFAULT_PASSWORD = "changeit";

/** The cacerts of a Java, and the keytool that knows its format. */
export interface JavaKeystore {
  readonly keytool: string;
  readonly file: string;
}

/** Finds the keystores of JAVA_HOME and of the `java` on the PATH; one for both where they are the same. */
export async function findJavaKeystores(machine: Machine): Promise<readonly JavaKeystore[]> {
  const path = pathsOf(machine);
  const java = await findProgram(machine, "java");
  const homes = [
    machine.env["JAVA_HOME"],
    java === undefined ? undefined : path.dirname(path.dirname(await machine.realPath(java))),
  ];
  const keystores = new Map<string, JavaKeystore>();
  for (const home of homes) {
    const keystore =
      home === undefined || home === "" ? undefined : await keystoreOf(machine, home);
    if (keystore !== undefined && !keystores.has(keystore.file)) {
      keystores.set(keystore.file, keystore);
    }
  }
  return [...keystores.values()];
}

/** Before Java 9 a JDK had its runtime in a folder `jre`. */
async function keystoreOf(machine: Machine, home: string): Promise<JavaKeystore | undefined> {
  const path = pathsOf(machine);
  for (const runtime of [home, path.join(home, "jre")]) {
    const file = path.join(runtime, "lib", "security", "cacerts");
    const program = machine.platform === "win32" ? "keytool.exe" : "keytool";
    const keytool = path.join(runtime, "bin", program);
    if (!(await machine.exists(file)) || !(await machine.exists(keytool))) continue;
    return { keytool, file: await machine.realPath(file) };
  }
  return undefined;
}

/** Returns the keystore of a Java, changed by keytool. */
export function javaStore(machine: Machine, { keytool, file }: JavaKeystore): Mechanism {
  const hasPassword = (machine.env[PASSWORD_VARIABLE] ?? "") !== "";
  // Every user can read the arguments of a process.
  const access = [
    "-keystore",
    file,
    ...(hasPassword ? ["-storepass:env", PASSWORD_VARIABLE] : ["-storepass", DEFAULT_PASSWORD]),
  ];
  const listing: Command = {
    program: keytool,
    // Without it the words of the listing follow the language of the user.
    args: ["-J-Duser.language=en", "-list", "-rfc", ...access],
  };
  const change = async (...args: readonly string[]): Promise<Step> => ({
    program: keytool,
    args: [...args, ...access],
    needsRoot: !(await machine.isWritable(file)),
    secretVariable: hasPassword ? PASSWORD_VARIABLE : undefined,
  });
  return {
    name: "java",
    title: "Java",
    location: file,
    async status(ca) {
      const result = await machine.run(listing);
      if (result.code === 0) {
        return { state: holdsAnchor(result.stdout, ca) ? "trusted" : "untrusted" };
      }
      const reason =
        `keytool cannot read the keystore: ${lastWords(result)}; ` +
        `its password goes into ${PASSWORD_VARIABLE} unless it is "${DEFAULT_PASSWORD}"`;
      return { state: "unknown", obstacle: { reason, commands: [] } };
    },
    async installation(ca) {
      const entry = ["-alias", anchorLabel(ca), "-file", ca.certificateFile];
      return [await change("-importcert", "-noprompt", ...entry)];
    },
    async removal(ca) {
      const { stdout } = await machine.run(listing);
      const aliases = aliasesOf(stdout, ca);
      return Promise.all(aliases.map((alias) => change("-delete", "-alias", alias)));
    },
  };
}

/** The hooks of some distributions import the system's CAs under aliases of their own. */
function aliasesOf(listing: string, ca: TrustAnchor): readonly string[] {
  const entries = listing.split(/^Alias name: /m).slice(1);
  return entries
    .filter((entry) => holdsAnchor(entry, ca))
    .map((entry) => entry.slice(0, entry.search(/\r?\n/)));
}
