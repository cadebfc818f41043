import type { IncomingMessage, ServerResponse } from "node:http";
import { hardenCookies, type CookieHardeningOptions, type CookieReport } from "@hauberk/headers";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { askListener, type Transport } from "../support/one-listener.ts";

const TRANSPORTS: readonly Transport[] = ["http", "https", "h2c", "h2"];

async function cookiesOver(
  transport: Transport,
  set: string | readonly string[],
  options: CookieHardeningOptions = {},
): Promise<readonly string[]> {
  const harden = hardenCookies(options);
  const [reply] = await askListener(
    transport,
    (request: IncomingMessage, response: ServerResponse) => {
      harden(request, response, () => {
        response.setHeader("set-cookie", set);
        response.end();
      });
    },
  );
  return reply?.headers["set-cookie"] ?? [];
}

describe("hardenCookies() over TLS", () => {
  const cases: readonly [string, string, string][] = [
    ["adds all three", "a=b", "a=b; HttpOnly; SameSite=Lax; Secure"],
    [
      "keeps what is there",
      "a=b; Path=/x; Max-Age=9",
      "a=b; Path=/x; Max-Age=9; HttpOnly; SameSite=Lax; Secure",
    ],
    [
      "leaves a complete cookie as it is",
      "a=b; secure;HTTPONLY; samesite=Strict",
      "a=b; secure;HTTPONLY; samesite=Strict",
    ],
    [
      "keeps a SameSite=None that is meant",
      "a=b; SameSite=None",
      "a=b; SameSite=None; HttpOnly; Secure",
    ],
    [
      "replaces a SameSite that no browser knows",
      "a=b; SameSite=Laxx; HttpOnly; Secure",
      "a=b; HttpOnly; Secure; SameSite=Lax",
    ],
    [
      "takes Domain from __Host-, and makes its Path /",
      "__Host-a=b; Domain=x.example; Path=/y",
      "__Host-a=b; Path=/; HttpOnly; SameSite=Lax; Secure",
    ],
    [
      "does so for __HOST-, which browsers take for the same",
      "__HOST-a=b; domain=x",
      "__HOST-a=b; Path=/; HttpOnly; SameSite=Lax; Secure",
    ],
    [
      "lets only the last Path count",
      "__Host-a=b; Path=/; Path=/y; HttpOnly; SameSite=Lax; Secure",
      "__Host-a=b; HttpOnly; SameSite=Lax; Secure; Path=/",
    ],
    [
      "leaves the Path of __Secure-",
      "__Secure-a=b; Path=/y",
      "__Secure-a=b; Path=/y; HttpOnly; SameSite=Lax; Secure",
    ],
    ["keeps = and quotes of a value", 'a="b=c"', 'a="b=c"; HttpOnly; SameSite=Lax; Secure'],
    ["hardens a deletion too", "a=; Max-Age=0", "a=; Max-Age=0; HttpOnly; SameSite=Lax; Secure"],
  ];
  for (const [what, set, sent] of cases) {
    it(what, async () => {
      expect(await cookiesOver("https", set)).to.deep.equal([sent]);
    });
  }

  it("leaves cookies that scripts read without HttpOnly, but for __Http- ones", async () => {
    const readable = ["XSRF-TOKEN", "__Http-a"];
    expect(await cookiesOver("https", ["XSRF-TOKEN=b", "__Http-a=b"], { readable })).to.deep.equal([
      "XSRF-TOKEN=b; SameSite=Lax; Secure",
      "__Http-a=b; HttpOnly; SameSite=Lax; Secure",
    ]);
  });

  it("leaves exempt cookies alone", async () => {
    expect(await cookiesOver("https", "a=b", { exempt: ["a"] })).to.deep.equal(["a=b"]);
  });

  it("uses the SameSite it is told", async () => {
    expect(await cookiesOver("https", "a=b", { sameSite: "strict" })).to.deep.equal([
      "a=b; HttpOnly; SameSite=Strict; Secure",
    ]);
    expect(await cookiesOver("https", "a=b", { sameSite: false, httpOnly: false })).to.deep.equal([
      "a=b; Secure",
    ]);
  });
});

for (const transport of TRANSPORTS) {
  describe(`hardenCookies() over ${transport}`, () => {
    const secure = transport === "https" || transport === "h2" ? "; Secure" : "";

    it("hardens every cookie of the response", async () => {
      expect(await cookiesOver(transport, ["a=1", "b=2"])).to.deep.equal([
        `a=1; HttpOnly; SameSite=Lax${secure}`,
        `b=2; HttpOnly; SameSite=Lax${secure}`,
      ]);
    });

    for (const [how, head] of [
      ["an object", { "Set-Cookie": ["a=1", "b=2"] }],
      ["a flat list", ["set-cookie", "a=1", "Set-Cookie", "b=2"]],
    ] as const) {
      it(`hardens those given to writeHead as ${how}`, async () => {
        const harden = hardenCookies();
        const [reply] = await askListener(
          transport,
          (request: IncomingMessage, response: ServerResponse) => {
            harden(request, response, () => response.writeHead(200, head as never).end());
          },
        );
        expect(reply?.headers["set-cookie"]).to.deep.equal([
          `a=1; HttpOnly; SameSite=Lax${secure}`,
          `b=2; HttpOnly; SameSite=Lax${secure}`,
        ]);
      });
    }
  });
}

describe("the report of hardenCookies()", () => {
  async function reports(transport: Transport, set: string): Promise<readonly CookieReport[]> {
    const received: CookieReport[] = [];
    await cookiesOver(transport, set, { onChange: (report) => received.push(report) });
    return received;
  }

  it("names the cookie and what was changed, never its value", async () => {
    const received = await reports("https", "__Host-id=secret; Domain=a.example");
    expect(received).to.deep.equal([
      {
        name: "__Host-id",
        changes: ["-Domain", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"],
        problems: [],
      },
    ]);
    expect(JSON.stringify(received)).to.not.include("secret");
  });

  it("is silent about a cookie that was right", async () => {
    expect(await reports("https", "a=b; Secure; HttpOnly; SameSite=Lax")).to.deep.equal([]);
  });

  for (const [what, transport, set, problem] of [
    ["a prefix over plain HTTP", "http", "__Secure-a=b", "it needs TLS"],
    ["SameSite=None over plain HTTP", "http", "a=b; SameSite=None", "it needs TLS"],
    ["a prefix in a nameless value", "https", "=__Host-a=b", "its name is in its value"],
    [
      "more than 4096 bytes",
      "https",
      `a=${"b".repeat(4096)}`,
      "name and value are longer than 4096 bytes",
    ],
  ] as const) {
    it(`says that browsers drop ${what}`, async () => {
      const [report] = await reports(transport, set);
      expect(report?.problems).to.deep.equal([problem]);
    });
  }
});

describe("hardenCookies() refuses", () => {
  for (const [what, options, message] of [
    ["an unknown SameSite", { sameSite: "none" }, /one of "strict", "lax"/],
    ["names that are no list", { readable: "a" }, /array of strings/],
    ["an unknown option, with the nearest", { readabel: [] }, /did you mean "readable"/],
  ] as const) {
    it(what, () => {
      expect(() => hardenCookies(options as object)).to.throw(TypeError, message);
    });
  }
});

describe("a hardened cookie", () => {
  it("keeps its name and value, and has one of each attribute it got", () => {
    const text = fc.stringMatching(/^[\w=;, .-]{0,40}$/);
    fc.assert(
      fc.property(text, text, (pair, attributes) => {
        const original = `${pair};${attributes}`;
        let sent: unknown;
        const response = {
          getHeader: () => original,
          setHeader: (_name: string, value: unknown) => {
            sent = value;
          },
          writeHead: () => undefined,
        };
        const request = { secure: true, headers: {}, socket: {} };
        hardenCookies()(request as never, response as never, () => undefined);
        (response.writeHead as (status: number) => void)(200);
        const [cookie = ""] = sent as string[];
        expect(cookie.split(";")[0]).to.equal(original.split(";")[0]);
        for (const name of ["secure", "httponly", "samesite"]) {
          const named = cookie
            .split(";")
            .filter((part) => part.split("=")[0]?.trim().toLowerCase() === name);
          expect(named, `${name} in ${cookie}`).to.have.length.greaterThan(0);
        }
      }),
    );
  });
});
