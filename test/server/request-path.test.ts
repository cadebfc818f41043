import { posix } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { parseRequestPath } from "@hauberk/server/semantics";

function outcome(path: string, platform: NodeJS.Platform = "linux"): number | string {
  const parsed = parseRequestPath(path, platform);
  if (parsed.kind === "refused") return parsed.status;
  return `${parsed.segments.join("/")}${parsed.isFolder ? "/" : ""}`;
}

const CASES: readonly [path: string, outcome: number | string][] = [
  ["/", "/"],
  ["/a", "a"],
  ["/a/", "a/"],
  ["/a/b.html", "a/b.html"],
  ["/a%20b", "a b"],
  ["/%C3%A9", "\u00e9"],
  ["/%25", "%"],
  ["/%252e%252e/x", "%2e%2e/x"],
  ["/a;b=1", "a;b=1"],
  ["/....", 404],
  ["/a/...%2f", 404],
  ["/.well-known/security.txt", ".well-known/security.txt"],
  ["/a/.well-known/x", 404],
  ["/.git/config", 404],
  ["/a/.env", 404],
  ["/%2eenv", 404],
  ["/..", 404],
  ["/../etc/passwd", 404],
  ["/a/../b", 404],
  ["/a/./b", 404],
  ["/%2e%2e/etc/passwd", 404],
  ["/..%2fetc", 404],
  ["/a%2fb", 404],
  ["/a%5cb", 404],
  ["/a\\b", 404],
  ["//etc/passwd", 404],
  ["/a//b", 404],
  ["/a//", 404],
  ["/%00", 400],
  ["/a%0ab", 400],
  ["/a%7f", 400],
  ["/%c0%ae%c0%ae/", 400],
  ["/%ff", 400],
  ["/%", 400],
  ["/%4", 400],
  ["/%u002e", 400],
  ["/\u00e9", 400],
  ["", 400],
  ["a", 400],
];

describe("parseRequestPath()", () => {
  for (const [path, expected] of CASES) {
    it(`answers ${JSON.stringify(path)} with ${JSON.stringify(expected)}`, () => {
      expect(outcome(path)).to.equal(expected);
    });
  }

  it("refuses names that mean something else on Windows, there only", () => {
    for (const name of [
      "con",
      "NUL.txt",
      "COM1",
      "com\u00b9",
      "a.",
      "a%20",
      "a:b",
      "a::$DATA",
      "PROGRA~1",
      "a*",
    ]) {
      const path = `/${encodeURI(name).replaceAll("%25", "%")}`;
      expect(outcome(path, "win32"), name).to.equal(404);
    }
    expect(outcome("/con", "linux")).to.equal("con");
    expect(outcome("/contact", "win32")).to.equal("contact");
  });

  it("never yields a name that leads out of the root", () => {
    const piece = fc.constantFrom("..", ".", "/", "\\", "%2e", "%2f", "%5c", "%00", "a", "%", ";");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((list) => list.join("")),
        ),
        (rest) => {
          const parsed = parseRequestPath(`/${rest}`, "linux");
          if (parsed.kind === "refused") return;
          const joined = posix.join("/root", ...parsed.segments);
          expect(joined).to.equal(["/root", ...parsed.segments].join("/"));
          expect(joined).to.not.include("\0");
        },
      ),
    );
  });
});
