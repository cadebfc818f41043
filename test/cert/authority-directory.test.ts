import { homedir } from "node:os";
import { resolve } from "node:path";
import { authorityDirectory } from "@hauberk/cert";
import { expect } from "chai";
import { describe, it } from "mocha";

const CASES: readonly (readonly [
  string,
  Readonly<Record<string, string>>,
  NodeJS.Platform,
  string,
])[] = [
  ["HAUBERK_HOME", { HAUBERK_HOME: "/ca", XDG_DATA_HOME: "/d", HOME: "/h" }, "linux", "/ca"],
  ["XDG_DATA_HOME", { XDG_DATA_HOME: "/d", HOME: "/h" }, "linux", "/d/hauberk"],
  ["~/.local/share", { HOME: "/h" }, "linux", "/h/.local/share/hauberk"],
  [
    "no empty variable",
    { HAUBERK_HOME: "", XDG_DATA_HOME: "", HOME: "/h" },
    "freebsd",
    "/h/.local/share/hauberk",
  ],
  [
    "no relative XDG_DATA_HOME",
    { XDG_DATA_HOME: "d", HOME: "/h" },
    "linux",
    "/h/.local/share/hauberk",
  ],
  [
    "the Library of macOS",
    { XDG_DATA_HOME: "/d", HOME: "/h" },
    "darwin",
    "/h/Library/Application Support/hauberk",
  ],
  ["LOCALAPPDATA", { LOCALAPPDATA: "C:\\d", USERPROFILE: "C:\\u" }, "win32", "C:\\d\\hauberk"],
  ["the profile on Windows", { USERPROFILE: "C:\\u" }, "win32", "C:\\u\\AppData\\Local\\hauberk"],
  ["the account's home without HOME", {}, "linux", `${homedir()}/.local/share/hauberk`],
  ["an absolute path of a relative HAUBERK_HOME", { HAUBERK_HOME: "ca" }, "linux", resolve("ca")],
];

describe("authorityDirectory()", () => {
  for (const [what, env, platform, expected] of CASES) {
    it(`uses ${what} (${platform})`, () => {
      expect(authorityDirectory(env, platform)).to.equal(expected);
    });
  }
});
