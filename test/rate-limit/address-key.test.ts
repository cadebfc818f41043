import { isIP } from "node:net";
import { addressKey } from "@hauberk/rate-limit";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

describe("addressKey()", () => {
  for (const [address, key] of [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::ffff:102:304", "1.2.3.4"],
    ["0:0:0:0:0:FFFF:0102:0304", "1.2.3.4"],
    ["2001:db8::1.2.3.4", "2001:db8::/64"],
    ["2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:db8:0:1:0:1:0:1", "2001:db8:0:1::/64"],
    ["64:ff9b::192.0.2.33", "192.0.2.33"],
    ["64:ff9b::c000:221", "192.0.2.33"],
    ["64:ff9b:1::c000:221", "64:ff9b:1::/64"],
    ["2002:c000:0204:1::1", "2002:c000:204::/48"],
    ["2001:0:5ef5:79fb::1", "2001:0:5ef5:79fb::/64"],
    ["fe80::1%eth0", "fe80::/64"],
    ["fe80::2%25", "fe80::/64"],
    ["::1", "::1"],
    ["::", "::"],
  ] as const) {
    it(`of ${address} is ${key}`, () => {
      expect(addressKey(address)).to.equal(key);
    });
  }

  for (const address of [
    "",
    "garbage\n",
    "01.2.3.4",
    "1.2.3",
    "1.2.3.4:5678",
    "[::1]:80",
    "_obf",
  ]) {
    it(`of ${JSON.stringify(address)}, no address, is the one key that all such share`, () => {
      expect(addressKey(address)).to.equal("unknown");
    });
  }

  it("cuts IPv6 at any prefix from 32 to 64", () => {
    const address = "2001:db8:ffff:ffff:ffff::1";
    expect(addressKey(address, { ipv6Prefix: 56 })).to.equal("2001:db8:ffff:ff00::/56");
    expect(addressKey(address, { ipv6Prefix: 49 })).to.equal("2001:db8:ffff:8000::/49");
    expect(addressKey(address, { ipv6Prefix: 32 })).to.equal("2001:db8::/32");
    expect(addressKey("2002:102:304::1", { ipv6Prefix: 40 })).to.equal("2002:102:300::/40");
  });

  it("refuses a prefix that lets a host mint keys, or that joins whole providers", () => {
    for (const ipv6Prefix of [128, 65, 31, 0, 56.5, NaN]) {
      expect(() => addressKey("::1", { ipv6Prefix })).to.throw(
        RangeError,
        /"ipv6Prefix".*32 to 64/,
      );
    }
    expect(() => addressKey("::1", { ipv6Prefixx: 64 } as never)).to.throw(
      TypeError,
      /ipv6Prefix"\?/,
    );
  });

  it("is the same for every spelling of an address, and is itself an address or network", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const key = addressKey(address);
        fc.pre(key !== "::/64");
        expect(addressKey(address.toUpperCase())).to.equal(key);
        expect(isIP(key.split("/")[0]!)).to.not.equal(0);
        expect(addressKey(key.split("/")[0]!)).to.equal(key);
      }),
    );
  });
});
