import {
  type LoginAttempt,
  type LoginGuard,
  type LoginGuardOptions,
  type LoginOutcome,
  createLoginGuard,
  normalizeUsername,
} from "@hauberk/rate-limit";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";

const PASSWORD = "correct horse";
const HOUR_MS = 3_600_000;

interface Bench {
  readonly guard: LoginGuard;
  /** Milliseconds that limited attempts were made to wait. */
  readonly slept: number[];
  now: number;
  /** Passwords that were verified. */
  verified: number;
  /** Tries a password; a verification takes 80 ms of the bench's clock. */
  login(attempt: LoginAttempt, password: string): Promise<LoginOutcome>;
}

function benchOf(options: LoginGuardOptions = {}): Bench {
  const slept: number[] = [];
  const sleep = (durationMs: number): Promise<void> => {
    slept.push(durationMs);
    return Promise.resolve();
  };
  let started: Bench | undefined;
  const clock = (): number => started?.now ?? 0;
  const bench: Bench = {
    guard: createLoginGuard({ clock, sleep, ...options }),
    slept,
    now: 0,
    verified: 0,
    login: (attempt, password) =>
      bench.guard.attempt(attempt, async () => {
        bench.verified++;
        await new Promise((resolve) => setImmediate(resolve));
        bench.now += 80;
        return password === PASSWORD;
      }),
  };
  started = bench;
  return bench;
}

const VICTIM = { username: "alice", address: "192.0.2.1" };
const ATTACKER = { username: "alice", address: "198.51.100.66" };

async function kindsOf(outcomes: readonly Promise<LoginOutcome>[]): Promise<string[]> {
  return (await Promise.all(outcomes)).map(({ kind }) => kind);
}

async function failuresOf(bench: Bench, attempt: LoginAttempt, count: number): Promise<string[]> {
  const kinds: string[] = [];
  for (let index = 0; index < count; index++) {
    kinds.push((await bench.login(attempt, "wrong")).kind);
  }
  return kinds;
}

/** Addresses of different /24 networks. */
function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `203.${index >> 8}.${index & 255}.1`);
}

describe("createLoginGuard()", () => {
  it("lets no more than the budget of parallel guesses through to verification", async () => {
    const bench = benchOf();
    const guesses = Array.from({ length: 200 }, (_, index) =>
      bench.login(ATTACKER, `guess ${index}`),
    );
    const kinds = await kindsOf(guesses);
    expect(kinds.filter((kind) => kind === "failed")).to.have.lengthOf(5);
    expect(kinds.filter((kind) => kind === "limited")).to.have.lengthOf(195);
    expect(bench.verified).to.equal(5);
    expect(bench.guard.metrics()).to.deep.equal({
      succeeded: 0,
      failed: 5,
      limited: 195,
      waiting: 0,
    });
  });

  it("lets all of many parallel good logins pass, more than the budget has room for", async () => {
    const bench = benchOf();
    const logins = Array.from({ length: 60 }, () => bench.login(VICTIM, PASSWORD));
    const kinds = await kindsOf(logins);
    expect(kinds.filter((kind) => kind === "succeeded")).to.have.lengthOf(60);
  });

  it("lets all users of one address log in at once, more than its budget has room for", async () => {
    const bench = benchOf({ perAddress: { limit: 5, windowMs: HOUR_MS } });
    const logins = Array.from({ length: 40 }, (_, index) =>
      bench.login({ username: `user ${index}`, address: "192.0.2.1" }, PASSWORD),
    );
    expect(new Set(await kindsOf(logins))).to.deep.equal(new Set(["succeeded"]));
    expect(bench.slept).to.deep.equal([]);
  });

  it("finds the one right password among parallel guesses only within the budget", async () => {
    const bench = benchOf();
    const guesses = Array.from({ length: 50 }, (_, index) =>
      bench.login(ATTACKER, index === 49 ? PASSWORD : "wrong"),
    );
    expect((await kindsOf(guesses))[49]).to.equal("limited");
  });

  it("doubles the delay with every failure after the free ones, up to the longest", async () => {
    const bench = benchOf({ firstDelayMs: 10_000, maxDelayMs: 60_000 });
    expect(await failuresOf(bench, ATTACKER, 6)).to.deep.equal([
      ...Array.from({ length: 5 }, () => "failed"),
      "limited",
    ]);
    const delays: number[] = [];
    for (let index = 0; index < 5; index++) {
      const outcome = await bench.login(ATTACKER, "wrong");
      if (outcome.kind !== "limited") throw new Error("expected a limited outcome");
      delays.push(outcome.retryAfterMs);
      bench.now += outcome.retryAfterMs;
      expect((await bench.login(ATTACKER, "wrong")).kind).to.equal("failed");
    }
    expect(delays).to.deep.equal([10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it("forgets failures in a row after a day without one", async () => {
    const bench = benchOf();
    await failuresOf(bench, ATTACKER, 6);
    bench.now += 24 * HOUR_MS;
    expect(await failuresOf(bench, ATTACKER, 6)).to.deep.equal([
      ...Array.from({ length: 5 }, () => "failed"),
      "limited",
    ]);
  });

  it("does not lock the victim out of its own address while an attacker guesses elsewhere", async () => {
    const bench = benchOf();
    expect((await bench.login(VICTIM, PASSWORD)).kind).to.equal("succeeded");
    for (const address of addresses(150))
      await failuresOf(bench, { username: "alice", address }, 1);
    const stranger = { username: "alice", address: "192.0.2.200" };
    expect((await bench.login(stranger, PASSWORD)).kind, "from elsewhere").to.equal("limited");
    expect((await bench.login(VICTIM, PASSWORD)).kind).to.equal("succeeded");
    expect((await bench.login(VICTIM, "mistyped")).kind).to.equal("failed");
  });

  it("lets a device in that has proven itself, whatever its address", async () => {
    const bench = benchOf();
    for (const address of addresses(150))
      await failuresOf(bench, { username: "alice", address }, 1);
    const roaming = { username: "alice", address: "192.0.2.77", device: "phone" };
    expect((await bench.login(roaming, PASSWORD)).kind).to.equal("succeeded");
    expect(await failuresOf(bench, roaming, 6)).to.deep.include("limited");
  });

  it("holds guesses at one user from many addresses to the user's budget", async () => {
    const bench = benchOf();
    let verified = 0;
    for (const address of addresses(400)) {
      const kinds = await failuresOf(bench, { username: "alice", address }, 1);
      if (kinds[0] === "failed") verified++;
    }
    expect(verified).to.equal(100);
  });

  it("holds one address to its budget over many users, success with one of them or not", async () => {
    const bench = benchOf();
    let verified = 0;
    for (let index = 0; index < 200; index++) {
      const username = `user ${index}`;
      const kinds = await failuresOf(bench, { username, address: "198.51.100.66" }, 1);
      if (kinds[0] === "failed") verified++;
      if (index === 40) {
        const own = { username: "mallory", address: "198.51.100.66" };
        expect((await bench.login(own, PASSWORD)).kind).to.equal("succeeded");
      }
    }
    expect(verified).to.equal(50);
  });

  it("holds a network to its budget over many addresses", async () => {
    const bench = benchOf({ perNetwork: { limit: 20, windowMs: HOUR_MS } });
    const kindsFrom = async (network: (index: number) => string): Promise<number> => {
      let verified = 0;
      for (let index = 0; index < 60; index++) {
        const attempt = { username: `${network(0)} user ${index}`, address: network(index) };
        const [kind] = await failuresOf(bench, attempt, 1);
        if (kind === "failed") verified++;
      }
      return verified;
    };
    expect(await kindsFrom((index) => `198.51.100.${index}`)).to.equal(20);
    expect(await kindsFrom((index) => `2001:db8:1:${index.toString(16)}::1`)).to.equal(20);
    expect(await kindsFrom((index) => `203.0.${index}.1`)).to.equal(60);
  });

  it("forgets the user's own failures on success", async () => {
    const bench = benchOf();
    for (let round = 0; round < 4; round++) {
      expect(await failuresOf(bench, VICTIM, 4)).to.not.include("limited");
      expect((await bench.login(VICTIM, PASSWORD)).kind).to.equal("succeeded");
    }
  });

  it("counts spellings of one name as one user", async () => {
    const bench = benchOf({ perUser: { limit: 6, windowMs: HOUR_MS } });
    const spellings = [
      "alice",
      " ALICE",
      "Alice\t",
      "\uff21\uff2c\uff29\uff23\uff25",
      "ALI\u212dE",
    ];
    const kinds: string[] = [];
    for (const [index, username] of [...spellings, ...spellings].entries()) {
      const attempt = { username, address: `203.${index}.0.1` };
      kinds.push((await bench.login(attempt, "wrong")).kind);
    }
    expect(kinds.filter((kind) => kind === "failed")).to.have.lengthOf(6);
  });

  it("takes as long to refuse as to verify", async () => {
    const bench = benchOf();
    await failuresOf(bench, ATTACKER, 5);
    expect(bench.slept).to.deep.equal([]);
    expect(await failuresOf(bench, ATTACKER, 3)).to.deep.equal(["limited", "limited", "limited"]);
    expect(bench.slept).to.deep.equal([80, 80, 80]);
  });

  it("counts an error of verify as no failure, and passes it on", async () => {
    const bench = benchOf();
    for (let index = 0; index < 20; index++) {
      const error = await rejection(
        bench.guard.attempt(VICTIM, () => Promise.reject(new Error("no database"))),
      );
      expect(error).to.have.property("message", "no database");
    }
    expect((await bench.login(VICTIM, PASSWORD)).kind).to.equal("succeeded");
  });

  it("takes nothing but a boolean for a verdict", async () => {
    const bench = benchOf();
    for (const verdict of [undefined, 1, "yes", {}]) {
      const error = await rejection(bench.guard.attempt(VICTIM, () => verdict as never));
      expect(error).to.be.instanceOf(TypeError);
    }
    expect(bench.guard.metrics()).to.include({ succeeded: 0, failed: 0 });
  });

  it("lets go of an attempt that waits when its signal is aborted", async () => {
    const bench = benchOf({ freeFailures: 1 });
    let finish: (isRight: boolean) => void = () => undefined;
    const first = bench.guard.attempt(VICTIM, () => new Promise((resolve) => (finish = resolve)));
    const controller = new AbortController();
    const waiting = bench.guard.attempt(VICTIM, () => true, { signal: controller.signal });
    expect(bench.guard.metrics().waiting).to.equal(1);
    controller.abort(new Error("client left"));
    expect(await rejection(waiting)).to.have.property("message", "client left");
    expect(bench.guard.metrics().waiting).to.equal(0);
    finish(true);
    expect((await first).kind).to.equal("succeeded");
  });

  it("bounds the attempts that wait, and refuses those beyond", async () => {
    const bench = benchOf({ freeFailures: 1, maxWaiting: 2 });
    let finish: (isRight: boolean) => void = () => undefined;
    const first = bench.guard.attempt(VICTIM, () => new Promise((resolve) => (finish = resolve)));
    const others = [0, 1, 2, 3].map(() => bench.login(VICTIM, PASSWORD));
    expect(bench.guard.metrics().waiting).to.equal(2);
    finish(true);
    await first;
    const kinds = await kindsOf(others);
    expect(kinds.filter((kind) => kind === "limited")).to.have.lengthOf(2);
    expect(kinds.filter((kind) => kind === "succeeded")).to.have.lengthOf(2);
  });

  it("forgets a user on request", async () => {
    const bench = benchOf();
    await failuresOf(bench, VICTIM, 6);
    bench.guard.forget(VICTIM);
    expect((await bench.login(VICTIM, PASSWORD)).kind).to.equal("succeeded");
  });

  for (const [options, message] of [
    [{ freeFailures: 0 }, '"freeFailures" must be an integer from 1 to 1000'],
    [{ firstDelayMs: NaN }, '"firstDelayMs"'],
    [{ maxWaiting: -1 }, '"maxWaiting"'],
    [{ perUser: { limit: NaN, windowMs: 1 } }, '"limit"'],
    [{ freeFailure: 5 }, 'did you mean "freeFailures"?'],
    [{ sleep: 5 }, '"sleep" must be a function'],
  ] as const) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      expect(() => createLoginGuard(options as never)).to.throw(Error, message);
    });
  }

  it("refuses attempts of another shape without echoing them", async () => {
    const { guard } = benchOf();
    for (const attempt of [{ username: 5, address: "x" }, { username: "a" }]) {
      const error = await rejection(guard.attempt(attempt as never, () => true));
      expect(error).to.be.instanceOf(TypeError);
      expect(error)
        .to.have.property("message")
        .that.matches(/"(username|address)" must be a string/);
    }
  });
});

describe("normalizeUsername()", () => {
  for (const [name, normal] of [
    ["Alice", "alice"],
    ["  alice\n", "alice"],
    ["\uff21lice", "alice"],
    ["stra\u00dfe", "strasse"],
    ["STRASSE", "strasse"],
    ["\ufb01n", "fin"],
    ["\u212bngstr\u00f6m", "\u00e5ngstr\u00f6m"],
    ["e\u0301", "\u00e9"],
  ] as const) {
    it(`makes ${JSON.stringify(name)} ${JSON.stringify(normal)}`, () => {
      expect(normalizeUsername(name)).to.equal(normal);
    });
  }

  it("takes both sharp s for ss", () => {
    for (const name of ["STRASSE", "stra\u00dfe", "STRA\u1e9eE"]) {
      expect(normalizeUsername(name), name).to.equal("strasse");
    }
  });

  it("changes nothing the second time, and does not see case", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (name) => {
        const normal = normalizeUsername(name);
        expect(normalizeUsername(normal)).to.equal(normal);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (name) => {
        expect(normalizeUsername(name.toUpperCase())).to.equal(normalizeUsername(name));
      }),
    );
  });
});
