import { join } from "node:path";
import { readX509 } from "../inspect.ts";
import type { Machine } from "./machine.ts";
import type { TrustAnchor } from "./trust-anchor.ts";
import type { Mechanism } from "./trust-store.ts";

const SECURITY = "/usr/bin/security";

/**
 * Returns the login keychain of the user: it needs no root, and Safari, Chrome and Firefox read it.
 * macOS asks for the password in a window, and refuses where there is none, as over ssh.
 *
 * @see security(1)
 */
export function macosKeychain(machine: Machine): Mechanism {
  const keychain = join(machine.home, "Library", "Keychains", "login.keychain-db");

  const isInKeychain = async (ca: TrustAnchor): Promise<boolean> => {
    const args = ["find-certificate", "-a", "-Z", keychain];
    const { stdout } = await machine.run({ program: SECURITY, args });
    return stdout.includes(`SHA-1 hash: ${sha1(ca)}`);
  };
  const isTrusted = async (ca: TrustAnchor): Promise<boolean> => {
    // A CA is not taken for a leaf without -l; -L keeps the network out of it.
    const args = ["verify-cert", "-l", "-L", "-p", "ssl", "-c", ca.certificateFile];
    return (await machine.run({ program: SECURITY, args })).code === 0;
  };
  return {
    name: "system",
    title: "macOS login keychain",
    location: keychain,
    status: async (ca) => ({ state: (await isTrusted(ca)) ? "trusted" : "untrusted" }),
    async installation(ca) {
      const policies = ["-p", "basic", "-p", "ssl"];
      const target = ["-k", keychain, ca.certificateFile];
      const args = ["add-trusted-cert", "-r", "trustRoot", ...policies, ...target];
      return [{ program: SECURITY, args }];
    },
    async removal(ca) {
      if (!(await isInKeychain(ca))) return [];
      const distrust = { program: SECURITY, args: ["remove-trusted-cert", ca.certificateFile] };
      const deletion = {
        program: SECURITY,
        args: ["delete-certificate", "-Z", sha1(ca), keychain],
      };
      return (await isTrusted(ca)) ? [distrust, deletion] : [deletion];
    },
  };
}

function sha1({ certificate }: TrustAnchor): string {
  return readX509(certificate).fingerprint.replaceAll(":", "");
}
