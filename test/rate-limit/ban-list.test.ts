import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  type BanEvent,
  type ConnectionRefusedEvent,
  BanList,
  addressKey,
  banLogLine,
} from "@hauberk/rate-limit";
import { VirtualClock } from "@hauberk/rate-limit/testing";
import { expect } from "chai";
import { describe, it } from "mocha";
import { requireProgram } from "../support/external.ts";
import { readText } from "../support/repository.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const MINUTE = { durationMs: 60_000 };

describe("BanList", () => {
  it("finds an address, and anything in a banned network, however it is spelt", () => {
    const bans = new BanList();
    bans.ban("192.0.2.7", MINUTE);
    bans.ban("198.51.100.0/24", { ...MINUTE, reason: "scans" });
    bans.ban("2001:db8:1::/48", MINUTE);
    for (const address of [
      "192.0.2.7",
      "::ffff:192.0.2.7",
      "::ffff:c000:207",
      "198.51.100.200",
      "2001:0DB8:1:ffff::1",
      "2001:db8:1::%eth0",
    ]) {
      expect(bans.find(address), address).to.not.equal(undefined);
    }
    for (const address of ["192.0.2.8", "198.51.101.0", "2001:db8:2::", "unknown", ""]) {
      expect(bans.find(address), address).to.equal(undefined);
    }
    expect(bans.find("198.51.100.1")).to.deep.include({
      entry: "198.51.100.0/24",
      reason: "scans",
    });
  });

  it("bans an IPv6 client by what addressKey returns", () => {
    const bans = new BanList();
    bans.ban(addressKey("2001:db8::7"), MINUTE);
    expect(bans.find("2001:db8::dead:beef")).to.deep.include({ entry: "2001:db8::/64" });
  });

  it("bans keys, and keeps them apart from addresses", () => {
    const bans = new BanList();
    bans.ban("user-42", MINUTE);
    bans.ban("__proto__", MINUTE);
    expect(bans.find("user-42")).to.deep.include({ entry: "user-42", isKey: true });
    expect(bans.find("__proto__")).to.deep.include({ isKey: true });
    expect(bans.find("constructor")).to.equal(undefined);
  });

  it("ends a ban on time", () => {
    const clock = new VirtualClock();
    const bans = new BanList({ clock: clock.now });
    bans.ban("192.0.2.7", MINUTE);
    clock.advance(59_999);
    expect(bans.find("192.0.2.7")).to.deep.include({ remainingMs: 1 });
    clock.advance(1);
    expect(bans.find("192.0.2.7")).to.equal(undefined);
    expect(bans.size).to.equal(0);
  });

  it("replaces the ban of an entry, also by a shorter one", () => {
    const clock = new VirtualClock();
    const bans = new BanList({ clock: clock.now });
    bans.ban("192.0.2.7", MINUTE);
    bans.ban("::ffff:192.0.2.7", { durationMs: 1000 });
    expect(bans.list()).to.have.lengthOf(1);
    clock.advance(1000);
    expect(bans.find("192.0.2.7")).to.equal(undefined);
  });

  it("lifts exactly the entry that is named", () => {
    const bans = new BanList();
    bans.ban("192.0.2.0/24", MINUTE);
    bans.ban("192.0.2.7", MINUTE);
    expect(bans.unban("192.0.2.7")).to.equal(true);
    expect(bans.unban("192.0.2.7")).to.equal(false);
    expect(bans.find("192.0.2.7")).to.deep.include({ entry: "192.0.2.0/24" });
    expect(bans.unban("192.0.2.0/24")).to.equal(true);
    expect(bans.find("192.0.2.7")).to.equal(undefined);
  });

  it("tells listeners of bans and their lifting, until they leave", () => {
    const bans = new BanList();
    const events: string[] = [];
    const leave = bans.onChange(({ kind, ban }) => void events.push(`${kind} ${ban.entry}`));
    bans.ban("192.0.2.7", MINUTE);
    bans.unban("192.0.2.8");
    bans.unban("192.0.2.7");
    leave();
    bans.ban("192.0.2.9", MINUTE);
    expect(events).to.deep.equal(["banned 192.0.2.7", "unbanned 192.0.2.7"]);
  });

  it("keeps to its capacity: ended bans go first, then those made first", () => {
    const clock = new VirtualClock();
    const bans = new BanList({ capacity: 100, clock: clock.now });
    for (let index = 0; index < 50; index++) bans.ban(`brief-${index}`, { durationMs: 10 });
    for (let index = 0; index < 50; index++) bans.ban(`long-${index}`, MINUTE);
    clock.advance(10);
    bans.ban("newcomer", MINUTE);
    expect(bans.list()).to.have.lengthOf(51);
    for (let index = 0; index < 1000; index++) bans.ban(`flood-${index}`, MINUTE);
    expect(bans.size).to.be.at.most(100);
    expect(bans.find("flood-999")).to.not.equal(undefined);
    expect(bans.find("long-0")).to.equal(undefined);
  });

  it("stays within its capacity through a flood of bans", () => {
    const bans = new BanList({ capacity: 10_000 });
    for (let index = 0; index < 100_000; index++) bans.ban(`key-${index}`, MINUTE);
    expect(bans.size).to.be.within(9000, 10_000);
  });

  for (const [what, entry, error] of [
    ["every IPv4 address", "0.0.0.0/0", RangeError],
    ["bits outside the prefix", "192.0.2.7/24", RangeError],
    ["a prefix that is too long", "192.0.2.0/33", RangeError],
    ["what only looks like a network", "999.0.0.0/8", TypeError],
    ["what is no string", 7, TypeError],
  ] as const) {
    it(`refuses to ban ${what}`, () => {
      expect(() => new BanList().ban(entry as string, MINUTE)).to.throw(error);
    });
  }

  it("refuses a duration that is none, and unknown options", () => {
    const bans = new BanList();
    for (const durationMs of [0, -1, NaN, Infinity, 1e12]) {
      expect(() => bans.ban("192.0.2.7", { durationMs })).to.throw(RangeError, /"durationMs"/);
    }
    expect(() => bans.ban("192.0.2.7", { duration: 5 } as never)).to.throw(
      TypeError,
      /"durationMs"/,
    );
    expect(() => new BanList({ capacity: 9 })).to.throw(RangeError, /"capacity"/);
  });
});

describe("banLogLine()", () => {
  const folder = tempDirectory();
  const at = new Date("2026-11-22T10:00:00.000Z");

  function linesOf(act: (bans: BanList) => void): string[] {
    const lines: string[] = [];
    const bans = new BanList({ clock: () => 0 });
    bans.onChange((event: BanEvent) => void lines.push(banLogLine(event, at)));
    act(bans);
    return lines;
  }

  const refusals: ConnectionRefusedEvent[] = [
    { kind: "connection-refused", address: "198.51.100.9", reason: "rate" },
    { kind: "connection-refused", address: "2001:db8::9", reason: "address" },
    { kind: "connection-refused", address: "198.51.100.10", reason: "total" },
  ];

  const hostile = linesOf((bans) => {
    bans.ban('k" for 1 s\n2026-11-22T10:00:00.000Z hauberk: banned 10.0.0.1 for 1 s', MINUTE);
    bans.ban("10.0.0.2 for 9 s", MINUTE);
    bans.ban("192.0.2.9", {
      ...MINUTE,
      reason: "\r\n2026-11-22T10:00:00.000Z hauberk: banned 10.0.0.3 for 1 s\u202e\ud800",
    });
  });

  it("writes one line of ASCII for each event, whatever keys and reasons hold", () => {
    const lines = linesOf((bans) => {
      bans.ban("192.0.2.7", { durationMs: 600_000, reason: "failed logins" });
      bans.unban("192.0.2.7");
    });
    expect(lines).to.deep.equal([
      '2026-11-22T10:00:00.000Z hauberk: banned 192.0.2.7 for 600 s: "failed logins"',
      "2026-11-22T10:00:00.000Z hauberk: unbanned 192.0.2.7",
    ]);
    for (const line of hostile) expect(line).to.match(/^[\x20-\x7e]+$/);
  });

  it("is read by fail2ban with the filters of the guide, which no key or reason deceives", async function () {
    const program = requireProgram(this, "fail2ban-regex");
    this.timeout(20_000);
    const log = join(folder, "bans.log");
    const events = linesOf((bans) => {
      bans.ban("192.0.2.7", { ...MINUTE, reason: "failed logins" });
      bans.ban("2001:db8::/64", MINUTE);
      bans.ban("user-42", MINUTE);
      bans.unban("192.0.2.7");
    });
    const lines = [...events, ...hostile, ...refusals.map((event) => banLogLine(event, at))];
    writeFileSync(log, `${lines.join("\n")}\n`);

    const guide = readText("docs/guides/fail2ban.md");
    async function matches(filter: string): Promise<string[]> {
      const pattern = new RegExp(`filter\\.d/${filter}\\.conf.*?\`\`\`ini\\n(.*?)\`\`\``, "s");
      const file = join(folder, `${filter}.conf`);
      writeFileSync(file, pattern.exec(guide)![1]!);
      const { stdout } = await promisify(execFile)(program, ["-v", log, file]);
      return [...stdout.matchAll(/^\| {6}(\S+) {2}\w{3} /gm)].map(([, host]) => host!);
    }
    expect(await matches("hauberk-bans")).to.deep.equal([
      "192.0.2.7",
      "2001:db8::/64",
      "192.0.2.9",
    ]);
    expect(await matches("hauberk-refused")).to.deep.equal(["198.51.100.9", "2001:db8::9"]);
  });
});
