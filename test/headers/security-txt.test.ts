import {
  formatSecurityTxt,
  securityTxt,
  type SecurityTxtEvent,
  type SecurityTxtFields,
} from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { HOSTS, serveMiddleware } from "../support/middleware-server.ts";
import { askListener } from "../support/one-listener.ts";
import type { IncomingMessage, ServerResponse } from "node:http";

const NOW = Date.parse("2026-11-22T00:00:00Z");
const DAY_MS = 86_400_000;
const FIELDS = { contact: "mailto:security@a.example", expires: "2027-05-01" } as const;

describe("formatSecurityTxt()", () => {
  it("writes every field in the order of RFC 9116's example", () => {
    const { text } = formatSecurityTxt(
      {
        hiring: "https://a.example/jobs",
        preferredLanguages: ["en", "de-CH"],
        contact: ["mailto:security@a.example", "tel:+41-1-234"],
        expires: new Date("2027-05-01T00:00:00Z"),
        encryption: "openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f",
        acknowledgments: "https://a.example/thanks",
        canonical: "https://a.example/.well-known/security.txt",
        policy: "https://a.example/policy",
      },
      NOW,
    );
    expect(text.split("\n")).to.deep.equal([
      "Contact: mailto:security@a.example",
      "Contact: tel:+41-1-234",
      "Expires: 2027-05-01T00:00:00.000Z",
      "Encryption: openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f",
      "Acknowledgments: https://a.example/thanks",
      "Preferred-Languages: en, de-CH",
      "Canonical: https://a.example/.well-known/security.txt",
      "Policy: https://a.example/policy",
      "Hiring: https://a.example/jobs",
      "",
    ]);
  });

  it("knows when it is about to expire, and when it has", () => {
    const file = formatSecurityTxt(FIELDS, NOW);
    const end = file.expires.getTime();
    expect(file.state(end - 31 * DAY_MS)).to.equal("valid");
    expect(file.state(end - 29 * DAY_MS)).to.equal("expiring");
    expect(file.state(end - 1)).to.equal("expiring");
    expect(file.state(end)).to.equal("expired");
  });

  it("accepts one that has expired: a restart must not fail over it", () => {
    expect(formatSecurityTxt({ ...FIELDS, expires: "2020-01-01" }, NOW).state(NOW)).to.equal(
      "expired",
    );
  });

  const refused: readonly [string, object, RegExp][] = [
    ["no contact", { expires: FIELDS.expires }, /needs contact/],
    ["an empty list of contacts", { ...FIELDS, contact: [] }, /at least one/],
    ["an e-mail address without mailto:", { ...FIELDS, contact: "security@a.example" }, /mailto:/],
    ["a contact without TLS", { ...FIELDS, contact: "http://a.example" }, /https:/],
    ["CR and LF in a contact", { ...FIELDS, contact: "mailto:a@b\r\nPolicy: x" }, /refuses/],
    ["no date", { contact: FIELDS.contact }, /must be a date/],
    ["what is no date", { ...FIELDS, expires: "soon" }, /must be a date.*"soon"/],
    [
      "what is no language",
      { ...FIELDS, preferredLanguages: ["English, please"] },
      /language tags/,
    ],
    [
      "an unknown field, with the nearest",
      { ...FIELDS, acknowledgements: "https://a" },
      /did you mean "acknowledgments"/,
    ],
  ];
  for (const [what, fields, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => formatSecurityTxt(fields as SecurityTxtFields, NOW)).to.throw(
        TypeError,
        message,
      );
    });
  }

  it("refuses more than a year", () => {
    expect(() => formatSecurityTxt({ ...FIELDS, expires: "2027-12-01" }, NOW)).to.throw(
      RangeError,
      /at most a year/,
    );
  });
});

describe("securityTxt()", () => {
  for (const path of ["/.well-known/security.txt", "/security.txt"]) {
    it(`answers ${path}`, async () => {
      const serve = securityTxt({ ...FIELDS, clock: () => NOW });
      const [reply] = await askListener(
        "http",
        (request: IncomingMessage, response: ServerResponse) => {
          request.url = path;
          serve(request, response, () => response.end("passed"));
        },
      );
      expect(reply?.headers["content-type"]).to.equal("text/plain; charset=utf-8");
      expect(reply?.body).to.include("Contact: mailto:security@a.example");
    });
  }

  for (const host of HOSTS) {
    it(`passes every other path under ${host}`, async () => {
      const server = await serveMiddleware(host, securityTxt({ ...FIELDS, clock: () => NOW }));
      const reply = await server.ask();
      server.close();
      expect(reply.body).to.equal("reached");
    });
  }

  it("stops serving when it expires, and says so once before and once then", () => {
    let now = NOW;
    const events: SecurityTxtEvent["kind"][] = [];
    const serve = securityTxt({
      ...FIELDS,
      clock: () => now,
      onEvent: ({ kind }) => events.push(kind),
    });
    const isServed = (): boolean => {
      let served = true;
      const request = { method: "GET", url: "/security.txt", headers: {} };
      const response = { setHeader: () => undefined, end: () => undefined };
      serve(request as never, response as never, () => {
        served = false;
      });
      return served;
    };
    expect(isServed()).to.equal(true);
    now = Date.parse("2027-04-20");
    expect([isServed(), isServed()]).to.deep.equal([true, true]);
    now = Date.parse("2027-05-02");
    expect([isServed(), isServed()]).to.deep.equal([false, false]);
    expect(events).to.deep.equal(["security-txt-expiring", "security-txt-expired"]);
  });
});
