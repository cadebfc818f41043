import { type RateLimitOptions, MemoryStore, rateLimit } from "@hauberk/rate-limit";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { closeServers, keyed, type Sent, serve, statusesOf } from "../support/served-middleware.ts";

const POLICY = { limit: 2, windowMs: 60_000, clock: () => 0 };

const byApiKey: NonNullable<RateLimitOptions["keyGenerator"]> = ({ headers }) =>
  String(headers["x-api-key"]);

afterEach(closeServers);

describe("rateLimit() allow and deny", () => {
  const TRUSTED = { trustedProxies: ["127.0.0.1"] };

  function from(address: string): Sent {
    return { headers: { "x-forwarded-for": address } };
  }

  it("never count those allowed, and always refuse those denied", async () => {
    const limit = rateLimit({
      ...POLICY,
      ...TRUSTED,
      limit: 1,
      allow: ["192.0.2.0/24", "2001:db8::1"],
      deny: ["198.51.100.0/24", "192.0.2.66"],
    });
    const server = await serve("node:http", limit);
    const allowed = ["192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::1"].map(from);
    expect(await statusesOf(server, allowed)).to.deep.equal([200, 200, 200, 200]);
    const denied = ["198.51.100.7", "192.0.2.66"].map(from);
    expect(await statusesOf(server, denied)).to.deep.equal([429, 429]);
    const others = ["203.0.113.1", "203.0.113.1"].map(from);
    expect(await statusesOf(server, others)).to.deep.equal([200, 429]);
    const reply = await server.ask(from("198.51.100.7"));
    expect(reply.headers).to.not.have.property("retry-after");
    expect(JSON.parse(reply.body)).to.deep.include({ "violated-policies": ["deny"] });
  });

  it("know clients by key as well", async () => {
    const limit = rateLimit({
      ...POLICY,
      limit: 1,
      keyGenerator: byApiKey,
      allow: ["ours"],
      deny: ["theirs"],
    });
    const server = await serve("node:http", limit);
    const requests = keyed("ours", "ours", "theirs", "other", "other");
    expect(await statusesOf(server, requests)).to.deep.equal([200, 200, 429, 200, 429]);
  });

  for (const [option, error, message] of [
    [{ allow: "10.0.0.0/8" }, TypeError, '"allow" must be an array'],
    [{ deny: [7] }, TypeError, '"deny[0]" must be a string, got 7'],
    [{ deny: ["10.0.0.0/33"] }, RangeError, '"deny[0]" must have a prefix length from 1 to 32'],
    [{ allow: ["10.0.0/8"] }, TypeError, '"allow[0]" must be an IP address or a network'],
    [{ allow: ["0.0.0.0/0"] }, RangeError, '"allow[0]"'],
  ] as const) {
    it(`refuse ${JSON.stringify(option)}`, () => {
      expect(() => rateLimit({ ...POLICY, ...(option as object) })).to.throw(error, message);
    });
  }
});

describe("rateLimit() ipv6Budgets", () => {
  it("limit a /56 and a /48 together with the /64, and IPv4 not at all", async () => {
    const limit = rateLimit({
      ...POLICY,
      limit: 1,
      trustedProxies: ["127.0.0.1"],
      ipv6Budgets: { 56: 2, 48: 3 },
    });
    const server = await serve("node:http", limit);
    const asks = (...addresses: string[]): Promise<number[]> =>
      statusesOf(
        server,
        addresses.map((address) => ({ headers: { "x-forwarded-for": address } })),
      );
    const sameNet56 = ["2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1"];
    expect(await asks(...sameNet56)).to.deep.equal([200, 200, 429]);
    const sameNet48 = ["2001:db8:1:100::1", "2001:db8:1:200::1"];
    expect(await asks(...sameNet48)).to.deep.equal([200, 429]);
    expect(await asks("2001:db8:2:1::1", "192.0.2.1", "192.0.2.2")).to.deep.equal([200, 200, 200]);
    const refused = await server.ask({ headers: { "x-forwarded-for": "2001:db8:1:9::1" } });
    expect(JSON.parse(refused.body)).to.deep.include({
      "violated-policies": ["default/56", "default/48"],
    });
    expect(refused.headers["ratelimit-policy"]).to.equal(
      '"default";q=1;w=60, "default/56";q=2;w=60, "default/48";q=3;w=60',
    );
  });

  it("scale with a limit that depends on the request", async () => {
    const limit = rateLimit({
      ...POLICY,
      limit: () => Promise.resolve(1),
      trustedProxies: ["127.0.0.1"],
      ipv6Budgets: { 48: 2 },
    });
    const server = await serve("node:http", limit);
    const requests = ["2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1"].map((address) => ({
      headers: { "x-forwarded-for": address },
    }));
    expect(await statusesOf(server, requests)).to.deep.equal([200, 200, 429]);
  });

  it("are refused for other prefixes and factors", () => {
    for (const ipv6Budgets of [{ 64: 2 }, { 56: 0 }, { 48: NaN }]) {
      expect(() => rateLimit({ ...POLICY, ipv6Budgets })).to.throw(Error, /ipv6Budgets/);
    }
  });
});

describe("rateLimit() blocks and resets", () => {
  it("act on a key under every policy", async () => {
    const limit = rateLimit({
      clock: () => 0,
      keyGenerator: byApiKey,
      policies: [
        { name: "a", limit: 1, windowMs: 1000 },
        { name: "b", limit: () => 1, windowMs: 60_000 },
      ],
    });
    const server = await serve("node:http", limit);
    expect(await statusesOf(server, keyed("x", "x"))).to.deep.equal([200, 429]);
    limit.resetKey("x");
    expect(await statusesOf(server, keyed("x"))).to.deep.equal([200]);
    limit.block("y", 60_000);
    expect(await statusesOf(server, keyed("y"))).to.deep.equal([429]);
    limit.unblock("y");
    expect(await statusesOf(server, keyed("y"))).to.deep.equal([200]);
  });

  it("show the table of the store among the metrics", async () => {
    const store = new MemoryStore({ capacity: 64 });
    const limit = rateLimit({ ...POLICY, store });
    await (await serve("node:http", limit)).ask();
    expect(limit.metrics()).to.deep.equal([
      {
        policyName: "default",
        admitted: 1,
        limited: 0,
        dryRunLimited: 0,
        unavailable: 0,
        table: { occupied: 1, capacity: 64 },
      },
    ]);
  });
});
