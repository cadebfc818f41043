import { type Clock, createTlsServer, fixedCertificates, sessionTicketKeys } from "@hauberk/tls";
import { expect } from "chai";
import { describe, it } from "mocha";
import { testAuthority } from "../support/test-authority.ts";
import { handshake, listenForTest } from "../support/tls-handshake.ts";

const HOUR_MS = 3_600_000;
const SECRET = "correct horse battery staple, twice over";

/** A clock that stands still until `advance` is called, then runs what is due. */
function stoppedClock(startMs = 0): Clock & { advance(ms: number): void; pending(): number } {
  let nowMs = startMs;
  const tasks = new Map<() => void, number>();
  return {
    now: () => nowMs,
    after: (delayMs, task) => {
      tasks.set(task, nowMs + delayMs);
      return () => tasks.delete(task);
    },
    advance: (ms) => {
      nowMs += ms;
      for (const [task, due] of tasks) {
        if (due > nowMs) continue;
        tasks.delete(task);
        task();
      }
    },
    pending: () => tasks.size,
  };
}

describe("sessionTicketKeys()", () => {
  it("returns 48 random bytes by default, different in each object", () => {
    const clock = stoppedClock();
    const one = sessionTicketKeys({ clock }).current();
    expect(one).to.have.length(48);
    expect(one.equals(sessionTicketKeys({ clock }).current())).to.equal(false);
  });

  it("rotates at the period's end, every 12 hours by default, and tells its listeners", () => {
    const clock = stoppedClock(5 * HOUR_MS);
    const keys = sessionTicketKeys({ clock });
    const seen = [keys.current().toString("hex")];
    keys.onRotate(() => seen.push(keys.current().toString("hex")));
    clock.advance(7 * HOUR_MS - 1);
    expect(seen).to.have.length(1);
    clock.advance(1);
    clock.advance(12 * HOUR_MS);
    expect(new Set(seen).size).to.equal(3);
    expect(keys.lifetimeSeconds).to.equal(43_200);
  });

  it("derives the same key in the same period from the same secret", () => {
    const early = sessionTicketKeys({ secret: SECRET, clock: stoppedClock(1) });
    const late = sessionTicketKeys({
      secret: Buffer.from(SECRET),
      clock: stoppedClock(11 * HOUR_MS),
    });
    const next = sessionTicketKeys({ secret: SECRET, clock: stoppedClock(12 * HOUR_MS) });
    const other = sessionTicketKeys({ secret: `${SECRET}!`, clock: stoppedClock(1) });
    expect(early.current().equals(late.current())).to.equal(true);
    expect(early.current().equals(next.current())).to.equal(false);
    expect(early.current().equals(other.current())).to.equal(false);
  });

  it("keeps its key when the timer fires early, and catches up after a jump of the clock", () => {
    let task: (() => void) | undefined;
    let nowMs = 0;
    const clock: Clock = {
      now: () => nowMs,
      after: (_delayMs, next) => {
        task = next;
        return () => undefined;
      },
    };
    const keys = sessionTicketKeys({ secret: SECRET, clock });
    const before = keys.current();
    nowMs = 12 * HOUR_MS - 1;
    task?.();
    expect(keys.current().equals(before)).to.equal(true);
    nowMs = 100 * HOUR_MS;
    task?.();
    const expected = sessionTicketKeys({ secret: SECRET, clock: stoppedClock(nowMs) }).current();
    expect(keys.current().equals(expected)).to.equal(true);
  });

  it("stops rotating when closed and forgets listeners that unsubscribe", () => {
    const clock = stoppedClock();
    const keys = sessionTicketKeys({ clock });
    let calls = 0;
    const unsubscribe = keys.onRotate(() => calls++);
    clock.advance(12 * HOUR_MS);
    unsubscribe();
    clock.advance(12 * HOUR_MS);
    expect(calls).to.equal(1);
    keys.close();
    expect(clock.pending()).to.equal(0);
  });

  it("refuses a short secret without showing it, and a rotation out of range", () => {
    expect(() => sessionTicketKeys({ secret: "hunter2" }))
      .to.throw(RangeError, /at least 32 bytes, got 7/)
      .with.property("message")
      .that.does.not.include("hunter2");
    expect(() => sessionTicketKeys({ secret: 5 as never })).to.throw(TypeError, /secret must be/);
    expect(() => sessionTicketKeys({ rotationMs: 1000 })).to.throw(RangeError, /3600000/);
    expect(() => sessionTicketKeys({ rotateMs: 1 } as never)).to.throw(TypeError, /rotationMs/);
  });

  it("costs a client one full handshake when a server's key rotates", async () => {
    const root = testAuthority();
    const clock = stoppedClock();
    const ticketKeys = sessionTicketKeys({ clock });
    const events: string[] = [];
    const server = createTlsServer(fixedCertificates(root.issue()), {
      ticketKeys,
      onEvent: ({ kind }) => events.push(kind),
    });
    server.on("secureConnection", (socket) => socket.end("."));
    const port = await listenForTest(server);
    const client = { ca: root.certificate, servername: "localhost" };
    const { session } = await handshake(port, client);
    expect((await handshake(port, { ...client, session })).isResumed).to.equal(true);
    clock.advance(12 * HOUR_MS);
    const renewed = await handshake(port, { ...client, session });
    expect(renewed.isResumed).to.equal(false);
    const again = await handshake(port, { ...client, session: renewed.session });
    expect(again.isResumed).to.equal(true);
    expect(events).to.deep.equal(["ticket-key-rotated"]);
  });
});
