import {
  type ConnectionDecision,
  type ConnectionLimit,
  type ConnectionLimitOptions,
  BanList,
  createConnectionLimit,
} from "@hauberk/rate-limit";
import { VirtualClock } from "@hauberk/rate-limit/testing";
import { expect } from "chai";
import { describe, it } from "mocha";

function limitOf(options: ConnectionLimitOptions = {}): ConnectionLimit {
  return createConnectionLimit({ handshakesPerSecond: false, ...options });
}

/** What is said about `count` connections of an address that all stay open. */
function saidOf(limit: ConnectionLimit, address: string | undefined, count: number): string[] {
  return Array.from({ length: count }, () => wordOf(limit.accept(address)));
}

function wordOf(decision: ConnectionDecision): string {
  return decision.kind === "admitted" ? "admitted" : decision.reason;
}

function release(decision: ConnectionDecision): void {
  if (decision.kind === "admitted") decision.release();
}

describe("createConnectionLimit()", () => {
  it("admits so many open connections of one address, and as many of another", () => {
    const limit = limitOf({ perAddress: 2 });
    expect(saidOf(limit, "192.0.2.1", 3)).to.deep.equal(["admitted", "admitted", "address"]);
    expect(saidOf(limit, "192.0.2.2", 1)).to.deep.equal(["admitted"]);
    expect(saidOf(limit, "::ffff:192.0.2.1", 1)).to.deep.equal(["address"]);
  });

  it("admits another one once one is closed, and counts a closing once", () => {
    const limit = limitOf({ perAddress: 2 });
    const first = limit.accept("192.0.2.1");
    limit.accept("192.0.2.1");
    release(first);
    release(first);
    expect(saidOf(limit, "192.0.2.1", 2)).to.deep.equal(["admitted", "address"]);
    expect(limit.metrics().open).to.equal(2);
  });

  it("counts the addresses of one IPv6 host as one, and the networks of one site together", () => {
    const limit = limitOf({ perAddress: 2, perPrefix: 3 });
    expect(saidOf(limit, "2001:db8::1", 1)).to.deep.equal(["admitted"]);
    expect(saidOf(limit, "2001:db8::2", 2)).to.deep.equal(["admitted", "address"]);
    expect(saidOf(limit, "2001:db8:0:1::1", 2)).to.deep.equal(["admitted", "prefix"]);
    expect(saidOf(limit, "2001:db8:1::1", 1)).to.deep.equal(["admitted"]);
  });

  it("counts the addresses of an IPv4 /24 together", () => {
    const limit = limitOf({ perAddress: 2, perPrefix: 3 });
    const said = [1, 2, 3, 4].flatMap((host) => saidOf(limit, `192.0.2.${host}`, 1));
    expect(said).to.deep.equal(["admitted", "admitted", "admitted", "prefix"]);
    expect(saidOf(limit, "192.0.3.1", 1)).to.deep.equal(["admitted"]);
  });

  it("admits so many altogether", () => {
    const limit = limitOf({ total: 3 });
    const said = [1, 2, 3, 4].flatMap((network) => saidOf(limit, `10.0.${network}.1`, 1));
    expect(said).to.deep.equal(["admitted", "admitted", "admitted", "total"]);
  });

  it("limits how fast one address and one network open connections, closed or not", () => {
    const clock = new VirtualClock();
    const limit = createConnectionLimit({ handshakesPerSecond: 1, clock: clock.now });
    const admitted = (address: string, count: number): number => {
      let total = 0;
      for (let index = 0; index < count; index++) {
        const decision = limit.accept(address);
        if (decision.kind === "admitted") total++;
        release(decision);
      }
      return total;
    };
    expect(admitted("192.0.2.1", 50)).to.equal(10);
    clock.advance(1000);
    expect(admitted("192.0.2.1", 50)).to.equal(1);
    const others = Array.from({ length: 5 }, (_, index) => admitted(`192.0.2.${index + 2}`, 50));
    expect(others).to.deep.equal([10, 10, 10, 3, 0]);
    expect(limit.metrics().refused.rate).to.be.above(0);
  });

  it("refuses banned addresses, and admits them once the ban has ended", () => {
    const clock = new VirtualClock();
    const bans = new BanList({ clock: clock.now });
    const limit = limitOf({ bans, clock: clock.now });
    bans.ban("192.0.2.0/24", { durationMs: 1000 });
    expect(saidOf(limit, "192.0.2.9", 1)).to.deep.equal(["banned"]);
    clock.advance(1000);
    expect(saidOf(limit, "192.0.2.9", 1)).to.deep.equal(["admitted"]);
  });

  it("counts a proxy against the total only, but not when it is banned", () => {
    const bans = new BanList();
    const limit = createConnectionLimit({
      perAddress: 1,
      perPrefix: 1,
      handshakesPerSecond: 1,
      total: 100,
      exempt: ["10.0.0.0/8"],
      bans,
    });
    const said = saidOf(limit, "10.1.2.3", 101);
    expect(said.filter((word) => word === "admitted")).to.have.lengthOf(100);
    expect(said[100]).to.equal("total");
    bans.ban("10.1.2.3", { durationMs: 1000 });
    expect(saidOf(limit, "10.1.2.3", 1)).to.deep.equal(["banned"]);
  });

  it("counts connections without an address against the total only", () => {
    const limit = limitOf({ perAddress: 1, total: 2 });
    expect(saidOf(limit, undefined, 3)).to.deep.equal(["admitted", "admitted", "total"]);
  });

  it("charges nothing for a refused connection", () => {
    const limit = limitOf({ perAddress: 1, perPrefix: 2, total: 3 });
    saidOf(limit, "192.0.2.1", 50);
    expect(saidOf(limit, "192.0.2.2", 1)).to.deep.equal(["admitted"]);
    expect(limit.metrics()).to.deep.equal({
      open: 2,
      admitted: 2,
      refused: { banned: 0, total: 0, address: 49, prefix: 0, rate: 0 },
    });
  });

  it("reports refusals once a second for each address", () => {
    const clock = new VirtualClock();
    const events: string[] = [];
    const limit = limitOf({
      perAddress: 1,
      clock: clock.now,
      onEvent: ({ address, reason }) => void events.push(`${address} ${reason}`),
    });
    saidOf(limit, "192.0.2.1", 100);
    saidOf(limit, "192.0.2.2", 3);
    clock.advance(1000);
    saidOf(limit, "192.0.2.1", 100);
    expect(events).to.deep.equal(["192.0.2.1 address", "192.0.2.2 address", "192.0.2.1 address"]);
  });

  it("lets an office behind one address open a thousand connections with its defaults", () => {
    const limit = createConnectionLimit();
    const said = saidOf(limit, "192.0.2.1", 1000);
    expect(said.every((word) => word === "admitted")).to.equal(true);
  });

  it("refuses unknown options and numbers out of range", () => {
    expect(() => limitOf({ perAdress: 1 } as never)).to.throw(TypeError, /"perAddress"\?/);
    for (const value of [0, -1, NaN, 1.5, "10", true]) {
      expect(() => limitOf({ perPrefix: value as never })).to.throw(/"perPrefix"/);
    }
    expect(() => limitOf({ exempt: ["10.0.0.1/8"] })).to.throw(RangeError, /"exempt\[0\]"/);
  });
});
