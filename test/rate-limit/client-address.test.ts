import { clientAddress, trustedProxies } from "@hauberk/rate-limit";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

const NONE = trustedProxies([]);
const PROXIES = trustedProxies(["10.0.0.0/8", "2001:db8:ffff::/48"]);

/** Peers and fields, and the address that must come out with PROXIES trusted. */
const MATRIX: [
  situation: string,
  peer: string,
  forwardedFor: string | undefined,
  client: string,
][] = [
  ["a direct client", "192.0.2.1", undefined, "192.0.2.1"],
  ["a direct client that claims another address", "192.0.2.1", "198.51.100.9", "192.0.2.1"],
  [
    "a direct client that claims to come from a proxy",
    "192.0.2.1",
    "6.6.6.6, 10.0.0.1",
    "192.0.2.1",
  ],
  ["a client behind a proxy", "10.0.0.1", "192.0.2.1", "192.0.2.1"],
  ["a client behind two proxies", "10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"],
  [
    "a client behind a proxy that claims another address",
    "10.0.0.1",
    "6.6.6.6, 192.0.2.1",
    "192.0.2.1",
  ],
  [
    "a client behind a proxy that claims to be one",
    "10.0.0.1",
    "6.6.6.6, 10.9.9.9, 192.0.2.1",
    "192.0.2.1",
  ],
  ["a client behind a proxy unknown to us", "10.0.0.1", "192.0.2.1, 203.0.113.5", "203.0.113.5"],
  ["a proxy without the field", "10.0.0.1", undefined, "10.0.0.1"],
  ["a proxy with an empty field", "10.0.0.1", "", "10.0.0.1"],
  ["a client inside the trusted network", "10.0.0.1", "10.0.0.7", "10.0.0.7"],
  ["a chain of trusted addresses alone", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
  [
    "a private address inside the chain",
    "10.0.0.1",
    "192.0.2.1, 192.168.0.9, 10.0.0.2",
    "192.168.0.9",
  ],
  ["rubbish at the end", "10.0.0.1", "192.0.2.1, rubbish", "10.0.0.1"],
  ["rubbish behind a second proxy", "10.0.0.1", "192.0.2.1, rubbish, 10.0.0.2", "10.0.0.2"],
  ["unknown (RFC 7239 section 6.2)", "10.0.0.1", "unknown", "10.0.0.1"],
  ["an obfuscated name (RFC 7239 section 6.3)", "10.0.0.1", "_hidden", "10.0.0.1"],
  ["an empty entry at the end", "10.0.0.1", "192.0.2.1,", "10.0.0.1"],
  ["two lines of the field joined", "10.0.0.1", "6.6.6.6,192.0.2.1\t,10.0.0.2", "192.0.2.1"],
  ["an entry with a port", "10.0.0.1", "192.0.2.1:5678", "192.0.2.1"],
  ["an IPv6 entry in brackets with a port", "10.0.0.1", "[2001:DB8::1]:80", "2001:db8::1"],
  ["an IPv6 entry in brackets", "10.0.0.1", "[2001:db8::1]", "2001:db8::1"],
  ["an IPv6 entry", "10.0.0.1", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["an IPv4-mapped peer", "::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"],
  ["an IPv4-mapped entry", "10.0.0.1", "::ffff:c000:201", "192.0.2.1"],
  ["an IPv4-mapped entry of a proxy", "10.0.0.1", "192.0.2.1, ::ffff:a00:2", "192.0.2.1"],
  ["an IPv6 proxy", "2001:db8:ffff::5", "192.0.2.1", "192.0.2.1"],
  ["an entry with leading zeros", "10.0.0.1", "192.000.002.001", "10.0.0.1"],
  ["an entry with a port that is none", "10.0.0.1", "192.0.2.1:123456", "10.0.0.1"],
  [
    "an entry with single zeros, which stay",
    "10.0.0.1",
    "2001:db8:0:1:0:1:1:1",
    "2001:db8:0:1:0:1:1:1",
  ],
  ["an entry with two runs of zeros", "10.0.0.1", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["a zone after zeros", "10.0.0.1", "fe80::%a1", "fe80::"],
  ["a zone that would multiply one address", "10.0.0.1", "fe80::1%a1", "fe80::1"],
];

describe("clientAddress() behind X-Forwarded-For", () => {
  for (const [situation, remoteAddress, forwardedFor, client] of MATRIX) {
    it(`finds ${client} for ${situation}`, () => {
      const request = { remoteAddress, forwardedFor };
      expect(clientAddress(request, { trustedProxies: PROXIES })).to.equal(client);
    });
  }

  it("finds the peer whatever the fields say when nobody is trusted", () => {
    for (const [, remoteAddress, forwardedFor] of MATRIX) {
      const found = clientAddress({ remoteAddress, forwardedFor }, { trustedProxies: NONE });
      expect(found).to.equal(clientAddress({ remoteAddress }, { trustedProxies: NONE }));
    }
  });

  it("reads the last entry of 10,000 and is not led astray by the others", () => {
    const forged = Array.from({ length: 9_999 }, (_, index) => `6.6.${index >> 8}.${index & 255}`);
    const request = { remoteAddress: "10.0.0.1", forwardedFor: [...forged, "192.0.2.1"].join() };
    expect(clientAddress(request, { trustedProxies: PROXIES })).to.equal("192.0.2.1");
  });

  it("never lets what a client sends before the proxy's entry change the answer", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (sent) => {
        const request = { remoteAddress: "10.0.0.1", forwardedFor: `${sent}, 192.0.2.1` };
        expect(clientAddress(request, { trustedProxies: PROXIES })).to.equal("192.0.2.1");
      }),
    );
  });

  it("spells IPv6 as the URL Standard does, and IPv4-mapped addresses as IPv4", () => {
    fc.assert(
      fc.property(fc.ipV6(), (remoteAddress) => {
        const canonical = new URL(`http://[${remoteAddress}]/`).hostname.slice(1, -1);
        fc.pre(!canonical.startsWith("::ffff:"));
        expect(clientAddress({ remoteAddress }, { trustedProxies: NONE })).to.equal(canonical);
      }),
    );
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const mapped = new URL(`http://[::ffff:${address}]/`).hostname.slice(1, -1);
        for (const remoteAddress of [address, mapped, `::FFFF:${address}`, `::ffff:${address}`]) {
          expect(clientAddress({ remoteAddress }, { trustedProxies: NONE })).to.equal(address);
        }
      }),
    );
  });

  it("is one fixed word when the socket has no address any more", () => {
    const request = { remoteAddress: undefined, forwardedFor: "192.0.2.1" };
    expect(clientAddress(request, { trustedProxies: PROXIES })).to.equal("unknown");
  });
});

describe("clientAddress() behind Forwarded (RFC 7239)", () => {
  for (const [forwarded, client] of [
    ["for=192.0.2.1", "192.0.2.1"],
    ['For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"],
    ["for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"],
    ["for=6.6.6.6, for=198.51.100.17", "198.51.100.17"],
    ["for=192.0.2.43,for=10.0.0.2;by=10.0.0.1", "192.0.2.43"],
    ['for="192.0.2.1:80"', "192.0.2.1"],
    ['for="192\\.0.2.1"', "192.0.2.1"],
    ['for=6.6.6.6;ext="a, for=7.7.7.7", for=192.0.2.1', "192.0.2.1"],
    ["for=192.0.2.1,", "192.0.2.1"],
    [", ,for=192.0.2.1", "192.0.2.1"],
    ["for=unknown", "10.0.0.1"],
    ["for=_gazonk", "10.0.0.1"],
    ["proto=https", "10.0.0.1"],
    ["for=192.0.2.1, proto=https", "10.0.0.1"],
    ["for=6.6.6.6;for=192.0.2.1", "10.0.0.1"],
    ["for=192.0.2.1:80", "10.0.0.1"],
    ["for=[2001:db8::1]", "10.0.0.1"],
    ["for = 192.0.2.1", "10.0.0.1"],
    ["192.0.2.1", "10.0.0.1"],
    ["", "10.0.0.1"],
  ] as const) {
    it(`finds ${client} in ${forwarded === "" ? "an empty field" : forwarded}`, () => {
      const request = { remoteAddress: "10.0.0.1", forwarded };
      expect(clientAddress(request, { trustedProxies: PROXIES })).to.equal(client);
    });
  }

  for (const sent of ['for="', 'for=6.6.6.6;ext="', 'for="\\']) {
    it(`does not let ${sent} swallow the element of the proxy`, () => {
      for (const appended of ["for=192.0.2.1", 'for="[2001:db8::1]";proto="https"']) {
        const request = { remoteAddress: "10.0.0.1", forwarded: `${sent}, ${appended}` };
        expect(clientAddress(request, { trustedProxies: PROXIES })).to.equal("10.0.0.1");
      }
    });
  }

  it("gives the address of the proxy, or the right one, whatever a client sends before its element", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (sent) => {
        const request = { remoteAddress: "10.0.0.1", forwarded: `${sent}, for=192.0.2.1` };
        const found = clientAddress(request, { trustedProxies: PROXIES });
        expect(found).to.be.oneOf(["10.0.0.1", "192.0.2.1"]);
      }),
    );
  });

  it("reads a field of hostile length in linear time", () => {
    const forwarded = `${'for="\\"'.repeat(20_000)}, for=192.0.2.1`;
    const request = { remoteAddress: "10.0.0.1", forwarded };
    expect(clientAddress(request, { trustedProxies: PROXIES })).to.equal("10.0.0.1");
  });

  it("believes neither field when both are given and they disagree", () => {
    const remoteAddress = "10.0.0.1";
    const disagreeing = { remoteAddress, forwardedFor: "192.0.2.1", forwarded: "for=6.6.6.6" };
    expect(clientAddress(disagreeing, { trustedProxies: PROXIES })).to.equal("10.0.0.1");
    const agreeing = { remoteAddress, forwardedFor: "192.0.2.1", forwarded: "for=192.0.2.1" };
    expect(clientAddress(agreeing, { trustedProxies: PROXIES })).to.equal("192.0.2.1");
  });
});
