import { expect } from "chai";
import { describe, it } from "mocha";
import { parseAuthority } from "@hauberk/server/semantics";

describe("parseAuthority()", () => {
  it("reads host and port, in lower case and without brackets", () => {
    for (const [text, authority, host] of [
      ["Example.COM", "example.com", "example.com"],
      ["example.com:8443", "example.com:8443", "example.com"],
      ["example.com:", "example.com:", "example.com"],
      ["127.0.0.1:80", "127.0.0.1:80", "127.0.0.1"],
      ["[::1]:443", "[::1]:443", "::1"],
      ["[2001:DB8::1]", "[2001:db8::1]", "2001:db8::1"],
    ] as const) {
      expect(parseAuthority(text), text).to.deep.equal({ authority, host });
    }
  });

  it("refuses what is no host", () => {
    for (const text of [
      "",
      ":80",
      "a b",
      "a/b@evil",
      "user@host",
      "a:1:2",
      "a:99999",
      "a:-1",
      "::1",
      "[::1",
      "[zz]",
      "[1.2.3.4]",
      "a\\b",
      "a%2fb",
      "a?b",
      "a#b",
      "h\u00e9",
      "a,b c",
    ]) {
      expect(parseAuthority(text), text).to.equal(undefined);
    }
  });
});
