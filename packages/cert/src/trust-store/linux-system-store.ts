import { join } from "node:path";
import type { Command, Machine } from "./machine.ts";
import { packageInstallation } from "./package-manager.ts";
import { anchorLabel, holdsAnchor, type TrustAnchor } from "./trust-anchor.ts";
import type { Mechanism, Step, TrustStatus } from "./trust-store.ts";

interface Distribution {
  readonly title: string;
  /** Where the administrator puts CAs, one file each. */
  readonly anchors: string;
  /** Files with another extension are passed over. */
  readonly extension: string;
  /** Makes `bundle` from the anchors and what the distribution brings. */
  readonly update: Command;
  /** The same after an anchor was taken away. */
  readonly clean?: Command;
  /** What OpenSSL, GnuTLS, curl and others read. */
  readonly bundle: string;
}

/**
 * The most specific folder first.
 *
 * @see update-ca-trust(8) of Fedora and Arch, update-ca-certificates(8) of openSUSE and Debian
 */
const DISTRIBUTIONS: readonly Distribution[] = [
  {
    title: "Fedora and RHEL system store",
    anchors: "/etc/pki/ca-trust/source/anchors",
    extension: ".pem",
    update: { program: "/usr/bin/update-ca-trust", args: ["extract"] },
    bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  },
  {
    title: "openSUSE system store",
    anchors: "/etc/pki/trust/anchors",
    extension: ".pem",
    update: { program: "/usr/sbin/update-ca-certificates", args: [] },
    bundle: "/var/lib/ca-certificates/ca-bundle.pem",
  },
  {
    title: "Arch system store",
    anchors: "/etc/ca-certificates/trust-source/anchors",
    extension: ".crt",
    update: { program: "/usr/bin/trust", args: ["extract-compat"] },
    bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
  },
  {
    title: "Debian system store",
    anchors: "/usr/local/share/ca-certificates",
    extension: ".crt",
    update: { program: "/usr/sbin/update-ca-certificates", args: [] },
    // Without it the links in /etc/ssl/certs stay, and point nowhere.
    clean: { program: "/usr/sbin/update-ca-certificates", args: ["--fresh"] },
    bundle: "/etc/ssl/certs/ca-certificates.crt",
  },
];

/** Resolves with the system's list of CAs, undefined on a distribution that is not known. */
export async function linuxSystemStore(machine: Machine): Promise<Mechanism | undefined> {
  const distribution = await findDistribution(machine);
  if (distribution === undefined) return undefined;
  const { title, anchors, extension, update, clean = update, bundle } = distribution;
  const cleaning: Step = { ...clean, needsRoot: true };

  const isTrusted = async (ca: TrustAnchor): Promise<boolean> =>
    holdsAnchor((await machine.readText(bundle)) ?? "", ca);
  const filesOf = async (ca: TrustAnchor): Promise<string[]> => {
    const paths = (await machine.list(anchors)).map((name) => join(anchors, name));
    const texts = await Promise.all(paths.map((path) => machine.readText(path)));
    return paths.filter((_, index) => holdsOnlyAnchor(texts[index] ?? "", ca));
  };
  return {
    name: "system",
    title,
    location: anchors,
    async status(ca) {
      if (!(await machine.exists(update.program))) return notInstalled(machine, update.program);
      return { state: (await isTrusted(ca)) ? "trusted" : "untrusted" };
    },
    async installation(ca) {
      const file = join(anchors, `${anchorLabel(ca)}${extension}`);
      const args = ["-D", "-m", "0644", ca.certificateFile, file];
      return [
        { program: "install", args, needsRoot: true },
        { ...update, needsRoot: true },
      ];
    },
    async removal(ca) {
      const files = await filesOf(ca);
      if (files.length === 0) return (await isTrusted(ca)) ? [cleaning] : [];
      return [{ program: "rm", args: ["-f", ...files], needsRoot: true }, cleaning];
    },
  };
}

/** Resolves with the path of the system's list of CAs in PEM, undefined when none is known. */
export async function systemBundle(machine: Machine): Promise<string | undefined> {
  const distribution = machine.platform === "linux" ? await findDistribution(machine) : undefined;
  // macOS keeps a list there for the programs that do not ask the keychain.
  const candidates = [
    distribution?.bundle,
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
  ];
  for (const path of candidates) {
    if (path !== undefined && (await machine.exists(path))) return path;
  }
  return undefined;
}

async function findDistribution(machine: Machine): Promise<Distribution | undefined> {
  for (const distribution of DISTRIBUTIONS) {
    if (await machine.exists(distribution.anchors)) return distribution;
  }
  return undefined;
}

/** Removing a file that somebody filled with several CAs would take away trust we did not give. */
function holdsOnlyAnchor(text: string, ca: TrustAnchor): boolean {
  return holdsAnchor(text, ca) && text.split("-----BEGIN ").length === 2;
}

async function notInstalled(machine: Machine, program: string): Promise<TrustStatus> {
  const commands = await packageInstallation(machine, {
    "apt-get": "ca-certificates",
    dnf: "ca-certificates",
    pacman: "ca-certificates-utils",
    zypper: "ca-certificates",
    apk: "ca-certificates",
  });
  return { state: "unknown", obstacle: { reason: `${program} is not installed`, commands } };
}
