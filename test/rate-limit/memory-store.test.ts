import { type Ledger, type Limiter, MemoryStore, createLimiter } from "@hauberk/rate-limit";
import { expect } from "chai";
import { describe, it } from "mocha";

const SECRET = Uint8Array.from({ length: 8 }, (_, index) => index * 17);

function admittedOf(limiter: Limiter, keys: readonly string[]): number {
  return keys.filter((key) => limiter.consume(key).kind === "admitted").length;
}

function keysOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

function ledgerOf(): Ledger {
  return new MemoryStore({ capacity: 8 }).ledger("test");
}

describe("MemoryStore", () => {
  it("rounds its capacity up to a power of two", () => {
    expect(new MemoryStore().capacity).to.equal(131_072);
    expect(new MemoryStore({ capacity: 8 }).capacity).to.equal(8);
    expect(new MemoryStore({ capacity: 9 }).capacity).to.equal(16);
    expect(new MemoryStore({ capacity: 65_536 }).capacity).to.equal(65_536);
  });

  for (const capacity of [0, 7, -8, 8.5, NaN, Infinity, 67_108_865]) {
    it(`refuses a capacity of ${capacity}`, () => {
      expect(() => new MemoryStore({ capacity })).to.throw(RangeError, /"capacity".*67108864/);
    });
  }

  it("refuses a secret of the wrong size or type without showing it", () => {
    expect(() => new MemoryStore({ secret: new Uint8Array(7) })).to.throw(
      RangeError,
      /^"secret" must have 8 bytes, got 7$/,
    );
    expect(() => new MemoryStore({ secret: "hunter22" as never })).to.throw(
      TypeError,
      /^"secret" must be a Uint8Array$/,
    );
  });

  it("refuses an unknown option and offers the nearest", () => {
    expect(() => new MemoryStore({ capcity: 8 } as never)).to.throw(TypeError, /"capacity"\?/);
  });

  it("leaves 200 known abusers limited through a flood of keys four times its size", () => {
    let now = 0;
    const store = new MemoryStore({ capacity: 8192, secret: SECRET });
    const limiter = createLimiter({ limit: 10, windowMs: 60_000 }, { store, clock: () => now });
    const abusers = keysOf("abuser-", 200);
    for (let round = 0; round < 10; round++) admittedOf(limiter, abusers);
    for (const [index, key] of keysOf("flood-", 4 * 8192).entries()) {
      now = index / 100;
      limiter.consume(key);
    }
    expect(admittedOf(limiter, abusers)).to.equal(0);
  });

  it("goes on admitting new keys when it is full", () => {
    const store = new MemoryStore({ capacity: 8 });
    const limiter = createLimiter({ limit: 1, windowMs: 60_000 }, { store, clock: () => 0 });
    expect(admittedOf(limiter, keysOf("client-", 100))).to.equal(100);
  });

  it("uses expired slots before it forgets a key in debt", () => {
    let now = 0;
    const store = new MemoryStore({ capacity: 8 });
    const clock = (): number => now;
    const short = createLimiter({ name: "short", limit: 1, windowMs: 10 }, { store, clock });
    const long = createLimiter({ name: "long", limit: 1, windowMs: 1000 }, { store, clock });
    const kept = keysOf("kept-", 4);
    admittedOf(long, kept);
    admittedOf(short, keysOf("brief-", 4));
    now = 10;
    admittedOf(short, keysOf("later-", 4));
    expect(admittedOf(long, kept)).to.equal(0);
    expect(admittedOf(short, keysOf("later-", 4))).to.equal(0);
  });

  it("gives up the least indebted of a full set", () => {
    const store = new MemoryStore({ capacity: 8 });
    const limiter = createLimiter({ limit: 100, windowMs: 60_000 }, { store, clock: () => 0 });
    keysOf("client-", 8).forEach((key, index) => limiter.consume(key, 10 + index));
    limiter.consume("newcomer", 50);
    const debts = keysOf("client-", 8).map((key) => 100 - limiter.peek(key).remaining);
    expect(debts).to.deep.equal([0, 11, 12, 13, 14, 15, 16, 17]);
    expect(limiter.peek("newcomer").remaining).to.equal(50);
  });

  it("holds a limited key against single requests of colliding keys, even with the secret known", () => {
    const store = new MemoryStore({ capacity: 8, secret: SECRET });
    const limiter = createLimiter({ limit: 5, windowMs: 60_000 }, { store, clock: () => 0 });
    limiter.consume("victim", 5);
    admittedOf(limiter, keysOf("collision-", 10_000));
    expect(limiter.peek("victim").kind).to.equal("limited");
  });

  it("files keys differently under every secret, so that collisions cannot be made ahead", () => {
    const keys = keysOf("key-", 2000);
    const survivors = [SECRET, SECRET, SECRET.toReversed()].map((secret) => {
      const store = new MemoryStore({ capacity: 64, secret });
      const limiter = createLimiter({ limit: 1, windowMs: 60_000 }, { store, clock: () => 0 });
      for (const key of keys) limiter.consume(key);
      return keys.filter((key) => limiter.peek(key).kind === "limited").join();
    });
    expect(survivors[0]).to.equal(survivors[1]);
    expect(survivors[0]).to.not.equal(survivors[2]);
  });
});

describe("MemoryStore ledger", () => {
  it("returns the debt with the cost, and charges it while it fits", () => {
    const ledger = ledgerOf();
    expect(ledger.charge("key", 30, 100, 1000)).to.equal(30);
    expect(ledger.charge("key", 70, 100, 1000)).to.equal(100);
    expect(ledger.charge("key", 1, 100, 1000)).to.equal(101);
    expect(ledger.charge("key", 0, 100, 1000)).to.equal(100);
    expect(ledger.charge("key", 1, 100, 1040)).to.equal(61);
  });

  it("counts a debt above the capacity as the capacity", () => {
    const ledger = ledgerOf();
    ledger.charge("key", 100, 100, 0);
    expect(ledger.charge("key", 0, 40, 0)).to.equal(40);
    expect(ledger.charge("key", 1, 40, 0)).to.equal(41);
    expect(ledger.charge("key", 0, 100, 0)).to.equal(40);
  });

  it("takes up no slot for a cost of 0", () => {
    const ledger = ledgerOf();
    for (const key of keysOf("debtor-", 8)) ledger.charge(key, 10, 100, 0);
    for (const key of keysOf("reader-", 100)) ledger.charge(key, 0, 100, 0);
    const debts = keysOf("debtor-", 8).map((key) => ledger.charge(key, 0, 100, 0));
    expect(debts).to.deep.equal([10, 10, 10, 10, 10, 10, 10, 10]);
  });

  it("is the same ledger for the same name", () => {
    const store = new MemoryStore();
    store.ledger("a").charge("key", 5, 100, 0);
    expect(store.ledger("a").charge("key", 0, 100, 0)).to.equal(5);
    expect(store.ledger("b").charge("key", 0, 100, 0)).to.equal(0);
  });

  it("forgets a key, and takes an unknown one in its stride", () => {
    const ledger = ledgerOf();
    ledger.charge("key", 5, 100, 0);
    ledger.forget("other");
    expect(ledger.charge("key", 0, 100, 0)).to.equal(5);
    ledger.forget("key");
    expect(ledger.charge("key", 0, 100, 0)).to.equal(0);
  });
});
