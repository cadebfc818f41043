import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { cspNonce, type HeadersError, securityHeaders } from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { askListener } from "../support/one-listener.ts";

/** Returns the policy that these directives give a response, and the code passed to `next`. */
async function policyFrom(
  directives: Record<string, unknown>,
): Promise<{ policy: string; code: string }> {
  const middleware = securityHeaders({ contentSecurityPolicy: { directives } });
  const [reply] = await askListener("http", (request, response: ServerResponse) => {
    middleware(request as IncomingMessage, response, (error) => {
      response.end(error === undefined ? "" : (error as HeadersError).code);
    });
  });
  expect(reply?.headers["x-content-type-options"]).to.equal("nosniff");
  return {
    policy: String(reply?.headers["content-security-policy"]),
    code: reply?.body ?? "",
  };
}

function rejecting(): Promise<string> {
  return Promise.reject(new Error("late"));
}

function broken(): string {
  return "\r\n";
}

describe("a directive function", () => {
  it("adds what it returns for this request, with helmet's signature", async () => {
    const scriptSrc = [
      "'self'",
      (_request: IncomingMessage, response: ServerResponse) => `'nonce-${cspNonce(response)}'`,
      (incoming: IncomingMessage) => `https://${incoming.headers.host}`,
    ];
    const { policy, code } = await policyFrom({ scriptSrc });
    expect(policy).to.match(/;script-src 'self' 'nonce-[\w-]{24}' https:\/\/127\.0\.0\.1:\d+;/);
    expect(code).to.equal("");
  });

  it("adds several sources, or none", async () => {
    const imgSrc = ["data:", () => ["https://a.example", "https://b.example"], () => "", () => []];
    const { policy, code } = await policyFrom({ imgSrc });
    expect(policy).to.include(";img-src data: https://a.example https://b.example;");
    expect(code).to.equal("");
  });

  it("stands beside 'nonce'", async () => {
    const { policy } = await policyFrom({ scriptSrc: ["'nonce'", () => "https://a.example"] });
    expect(policy).to.match(/;script-src 'nonce-[\w-]{24}' https:\/\/a\.example;/);
  });

  it("that returns nothing for a directive on its own leaves 'none'", async () => {
    expect((await policyFrom({ imgSrc: [() => ""] })).policy).to.include(";img-src 'none';");
  });

  const closed: readonly [string, unknown, string][] = [
    [
      "that throws",
      () => {
        throw new Error("no database");
      },
      "ERR_HEADERS_DIRECTIVE_THREW",
    ],
    [
      "that throws no error",
      () => {
        // oxlint-disable-next-line typescript/only-throw-error -- what other code may do
        throw undefined;
      },
      "ERR_HEADERS_DIRECTIVE_THREW",
    ],
    [
      "that returns CR and LF",
      () => "https://a.example\r\nset-cookie: a=b",
      "ERR_HEADERS_DIRECTIVE_VALUE",
    ],
    ["that returns a second source", () => "https://a.example *", "ERR_HEADERS_DIRECTIVE_VALUE"],
    [
      "that returns a second directive",
      () => "a.example;script-src",
      "ERR_HEADERS_DIRECTIVE_VALUE",
    ],
    ["that returns a second policy", () => "a.example,x", "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns text outside ASCII", () => "https://é.example", "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns an unquoted keyword", () => "self", "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns 'none' beside others", () => "'none'", "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns the mark of a function", () => "'function-0'", "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns the place of a nonce", () => "'nonce'", "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns undefined", () => undefined, "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns null", () => null, "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns a symbol", () => Symbol("a"), "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns an object", () => ({ toString: () => "*" }), "ERR_HEADERS_DIRECTIVE_VALUE"],
    [
      "that returns a list with a hole",
      () => Object.assign(["a.example"], { length: 2 }),
      "ERR_HEADERS_DIRECTIVE_VALUE",
    ],
    ["that returns a promise", () => Promise.resolve("a.example"), "ERR_HEADERS_DIRECTIVE_VALUE"],
    ["that returns a megabyte", () => "a".repeat(1 << 20), "ERR_HEADERS_DIRECTIVE_VALUE"],
    [
      "that returns a list with a trap",
      () =>
        Object.defineProperty([], 0, {
          get: () => {
            throw new Error("trap");
          },
        }),
      "ERR_HEADERS_DIRECTIVE_THREW",
    ],
  ];
  for (const [what, compute, code] of closed) {
    it(`${what} closes its directive and reports ${code}`, async () => {
      const outcome = await policyFrom({ imgSrc: ["data:", compute] });
      expect(outcome.code).to.equal(code);
      expect(outcome.policy).to.include(";img-src 'none';").and.to.include("default-src 'self';");
    });
  }

  it("that rejects does not end the process with an unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", listener);
    const { code } = await policyFrom({ imgSrc: [rejecting] });
    await setImmediate();
    process.off("unhandledRejection", listener);
    expect(code).to.equal("ERR_HEADERS_DIRECTIVE_VALUE");
    expect(unhandled).to.deep.equal([]);
  });

  it("closes what is no source list to the strictest it can say", async () => {
    const { policy } = await policyFrom({
      frameAncestors: [broken],
      sandbox: [broken],
      reportUri: [broken],
      trustedTypes: [broken],
      requireTrustedTypesFor: [broken],
      webrtc: [broken],
    });
    expect(policy).to.include(";frame-ancestors 'none';");
    expect(policy).to.match(
      /;sandbox;trusted-types 'none';require-trusted-types-for 'script';webrtc 'block'$/,
    );
  });

  it("that makes the policy too long closes its directive", async () => {
    const hosts = Array.from({ length: 600 }, (_, index) => `host-${index}.example`);
    const { policy, code } = await policyFrom({ imgSrc: [() => hosts] });
    expect(code).to.equal("ERR_HEADERS_POLICY_TOO_LONG");
    expect(policy).to.include(";img-src 'none';");
  });

  it("reports its own error as the cause", (done) => {
    const thrown = new Error("no database");
    const middleware = securityHeaders({
      contentSecurityPolicy: {
        directives: {
          imgSrc: [
            () => {
              throw thrown;
            },
          ],
        },
      },
    });
    const incoming = new IncomingMessage(new Socket());
    middleware(incoming, new ServerResponse(incoming), (error) => {
      expect((error as HeadersError).cause).to.equal(thrown);
      expect((error as HeadersError).message).to.include("img-src");
      done();
    });
  });
});
