import {
  compileSecurityHeaders,
  inlineHashes,
  type SecurityHeadersOptions,
} from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";

const PAGE = `<script>1</script><p onclick="go()" style="color:red">text</p>`;
const hashes = inlineHashes(PAGE, { attributes: true });
const handler = `'${hashes.handlers?.[0] ?? ""}'`;
const style = `'${hashes.styleAttributes?.[0] ?? ""}'`;

function directives(options: SecurityHeadersOptions): ReadonlyMap<string, string> {
  const fields = compileSecurityHeaders(options).fieldsWithHashes({ secure: true, hashes });
  const policy = byName(fields)["content-security-policy"] ?? "";
  return new Map(
    policy.split(";").map((text) => {
      const [name = "", ...entries] = text.split(" ");
      return [name, entries.join(" ")];
    }),
  );
}

describe("hashes of attributes in the policy", () => {
  it("stand in script-src-attr and style-src-attr alone, with 'unsafe-hashes'", () => {
    const policy = directives({ preset: "strict" });
    expect(policy.get("script-src-attr")).to.equal(`'unsafe-hashes' ${handler}`);
    expect(policy.get("style-src-attr")).to.equal(`'unsafe-hashes' ${style}`);
    expect(policy.get("script-src")).to.not.include("unsafe-hashes");
    expect(policy.get("script-src")).to.not.include(handler);
  });

  it("take the place of 'none'", () => {
    expect(directives({ preset: "site" }).get("script-src-attr")).to.equal(
      `'unsafe-hashes' ${handler}`,
    );
  });

  it("are left out where every style attribute is admitted already", () => {
    expect(directives({ preset: "site" }).has("style-src-attr")).to.equal(false);
  });

  it("come also where the policy has no place for a nonce", () => {
    const contentSecurityPolicy = { useDefaults: false, directives: { defaultSrc: ["'self'"] } };
    const policy = directives({ contentSecurityPolicy });
    expect(policy.get("script-src-attr")).to.equal(`'unsafe-hashes' ${handler}`);
    expect(policy.get("default-src")).to.equal("'self'");
  });

  it("add nothing to a header that is switched off", () => {
    expect([...directives({ contentSecurityPolicy: false }).keys()]).to.deep.equal([""]);
  });
});
