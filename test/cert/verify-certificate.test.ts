import { createAuthority, issueCertificate, toPkcs12, type IssuedCertificate } from "@hauberk/cert";
import { verifyCertificate } from "@hauberk/cert/inspect";
import { expect } from "chai";
import fc from "fast-check";
import { before, describe, it } from "mocha";
import { leafExtensions, makeChain, type LinkRecipe } from "../support/certificate-chain.ts";
import {
  basicConstraints,
  COMMON_NAME,
  keyUsage,
  makeCertificate,
  newKey,
  toPem,
} from "../support/certificate-maker.ts";
import { rejection } from "../support/rejection.ts";

describe("verifyCertificate()", () => {
  let pair: IssuedCertificate;
  before(async () => {
    pair = await issueCertificate(await createAuthority(), {
      names: ["app.test", "bücher.test", "::1"],
    });
  });

  it("shows the path from the leaf to the root", async () => {
    const verdict = await verifyCertificate(pair.cert, { authorities: pair.ca });
    if (verdict.kind !== "valid") throw new Error(verdict.reason);
    expect(verdict.path.map(({ isAuthority }) => isAuthority)).to.deep.equal([false, true]);
    expect(verdict.path[0]?.names).to.deep.equal(["app.test", "xn--bcher-kva.test", "::1"]);
  });

  it("takes hosts in any form", async () => {
    for (const host of ["APP.TEST.", "bücher.test", "::1", "[0:0::1]"]) {
      const verdict = await verifyCertificate(pair.cert, { authorities: pair.ca, host });
      expect(verdict.kind, host).to.equal("valid");
    }
  });

  it("says which certificate is at fault and why, in plain words", async () => {
    const day = 86_400_000;
    const old = makeChain([{}, { notAfter: new Date("2026-01-01T00:00:00Z") }, {}]);
    const verdict = await verifyCertificate(old.leaf, {
      authorities: old.root,
      intermediates: old.intermediates,
    });
    expect(verdict).to.deep.equal({
      kind: "invalid",
      code: "expired",
      subject: "CN=CA 1",
      reason: "it expired on 2026-01-01T00:00:00.000Z",
      isLeaf: false,
    });
    const client = await verifyCertificate(pair.cert, { authorities: pair.ca, purpose: "client" });
    expect(client).to.deep.include({
      code: "wrong-purpose",
      reason: "it is for serverAuth, not for clientAuth",
      isLeaf: true,
    });
    const later = new Date(Date.now() + 91 * day);
    const future = await verifyCertificate(pair.cert, { authorities: pair.ca, now: later });
    expect(future).to.deep.include({ kind: "invalid", code: "expired" });
  });

  it("takes the other path when the first one does not hold", async () => {
    const [rootKey, key, leafKey] = [newKey(), newKey(), newKey()];
    const root: LinkRecipe = { key: rootKey };
    const past = new Date(Date.now() - 1000);
    const old = makeChain([root, { key, notAfter: past }, { key: leafKey }]);
    const renewed = makeChain([root, { key }, { key: leafKey }]);
    for (const intermediates of [
      [...old.intermediates, ...renewed.intermediates],
      [...renewed.intermediates, ...old.intermediates],
    ]) {
      const options = { authorities: renewed.root, intermediates };
      expect((await verifyCertificate(renewed.leaf, options)).kind).to.equal("valid");
    }
  });

  it("gives up in time on certificates that could have signed each other in any order", async () => {
    const same = [[COMMON_NAME, "Same"]] as const;
    const keys = Array.from({ length: 12 }, newKey);
    const extensions = [basicConstraints(true), keyUsage(5)];
    const crossed = keys.flatMap((publicKey) =>
      keys.map((signingKey) =>
        toPem(makeCertificate({ subject: same, issuer: same, publicKey, signingKey, extensions })),
      ),
    );
    const leafKey = newKey();
    const leaf = makeCertificate({
      issuer: same,
      publicKey: leafKey,
      signingKey: keys[0] ?? leafKey,
      extensions: leafExtensions(leafKey, leafKey).slice(0, -1),
    });
    const started = performance.now();
    const { root } = makeChain([{}]);
    const verdict = await verifyCertificate(leaf, { authorities: root, intermediates: crossed });
    expect(verdict.kind).to.equal("invalid");
    expect(performance.now() - started).to.be.lessThan(2000);
  });

  it("refuses options and inputs that it cannot use", async () => {
    const { pkcs12 } = await toPkcs12(pair);
    for (const [certificate, options, message] of [
      [pair.cert, { authorities: 7 }, "authorities must be PEM or DER, got 7"],
      [pair.cert, { authorities: [7] }, "authorities must be PEM or DER, got 7"],
      [7, { authorities: pair.ca }, "certificate must be PEM or DER, got 7"],
      [pair.cert, { authorities: pair.ca, host: "a b" }, "host must be a host name or an IP"],
      [pair.cert, { authorities: pair.ca, host: "" }, "host must be a host name or an IP"],
      [pair.cert, { authorities: pair.ca, purpose: "mail" }, "purpose must be one of server"],
      [pair.cert, { authority: pair.ca }, 'did you mean "authorities"?'],
      [pair.key, { authorities: pair.ca }, "the input holds no certificate"],
      [pkcs12, { authorities: pair.ca }, "it needs a password"],
    ] as const) {
      const error = await rejection(verifyCertificate(certificate as never, options as never));
      expect(error.message).to.include(message);
    }
  });

  it("gives damaged certificates a verdict or a SyntaxError", async function () {
    this.timeout(20_000);
    const { leaf, intermediates, root } = makeChain([{}, {}, {}]);
    const bytes = Buffer.from(leaf.split("\n").slice(1, -2).join(""), "base64");
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const damaged = Buffer.from(bytes);
          damaged[at] = (damaged[at] ?? 0) ^ flip;
          const verdict = await verifyCertificate(damaged, {
            authorities: root,
            intermediates,
          }).catch((error: unknown) => error);
          if (verdict instanceof Error) expect(verdict).to.be.instanceOf(SyntaxError);
          else expect(verdict).to.deep.include({ kind: "invalid" });
        },
      ),
      { numRuns: 400 },
    );
  });
});
