import { trustedProxies } from "@hauberk/rate-limit";
import { expect } from "chai";
import { describe, it } from "mocha";

describe("trustedProxies()", () => {
  it("includes the addresses of its networks and no others", () => {
    const proxies = trustedProxies(["10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "::1"]);
    for (const address of ["10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8:7fff::1", "::1"]) {
      expect(proxies.includes(address), address).to.equal(true);
    }
    for (const address of ["11.0.0.0", "9.255.255.255", "192.0.2.8", "2001:db8:8000::", "::2"]) {
      expect(proxies.includes(address), address).to.equal(false);
    }
  });

  it("trusts nobody when empty", () => {
    expect(trustedProxies([]).includes("127.0.0.1")).to.equal(false);
  });

  it("reads an IPv4-mapped address as IPv4", () => {
    expect(trustedProxies(["::ffff:10.0.0.1"]).includes("10.0.0.1")).to.equal(true);
  });

  for (const entry of ["", "localhost", "10.0.0", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1", 1]) {
    it(`refuses ${JSON.stringify(entry)} and says which entry it was`, () => {
      const wanted = `"trustedProxies[1]" must be an IP address or a network such as "10.0.0.0/8"`;
      expect(() => trustedProxies(["::1", entry as string])).to.throw(TypeError, wanted);
    });
  }

  for (const entry of ["10.0.0.0/33", "2001:db8::/129", "::ffff:10.0.0.0/104"]) {
    it(`refuses ${entry}, whose prefix is too long`, () => {
      expect(() => trustedProxies([entry])).to.throw(RangeError, /prefix length from 1 to/);
    });
  }

  for (const entry of ["0.0.0.0/0", "::/0"]) {
    it(`refuses ${entry}, by which every client would choose its own address`, () => {
      expect(() => trustedProxies([entry])).to.throw(RangeError, /prefix length from 1 to/);
    });
  }

  it("refuses an address with bits outside its prefix and offers both readings", () => {
    expect(() => trustedProxies(["10.1.2.3/8"])).to.throw(
      RangeError,
      '"trustedProxies[0]" must be "10.0.0.0/8" or "10.1.2.3", got "10.1.2.3/8"',
    );
    expect(() => trustedProxies(["2001:db8::1/32"])).to.throw(RangeError, '"2001:db8::/32"');
  });

  it("refuses what is no array, such as a hop count", () => {
    for (const value of [1, true, "10.0.0.0/8", undefined]) {
      expect(() => trustedProxies(value as never)).to.throw(TypeError, /must be an array/);
    }
  });
});
