import type { CircuitBreaker } from "../circuit-breaker.ts";
import type { RateLimitError } from "../errors.ts";
import { batchesOf } from "./charge-batch.ts";
import type { ChargeBatch, Ticket } from "./charge-batch.ts";
import { GCRA_SCRIPT } from "./gcra-script.ts";
import type { RedisConnection } from "./redis-connection.ts";

export interface ChargeQueueSettings {
  readonly connection: RedisConnection;
  /** Milliseconds from sending to giving up. */
  readonly deadlineMs: number;
  /** The time for the script in milliseconds, or "" for that of Redis. */
  readonly scriptTime: () => number | "";
  readonly breakerOf: (slot: number) => CircuitBreaker;
  /** Turns what went wrong into what the callers are told. */
  readonly explain: (cause: unknown) => RateLimitError;
  readonly onSettled: (ticket: Ticket, debts: readonly number[]) => void;
  readonly onFailed: (ticket: Ticket) => void;
}

/** No answer came in time. What was asked for may have been done, or may still be. */
export class DeadlinePassed extends Error {}

/**
 * Sends all groups of one turn of the event loop together, one call for each slot. Nothing is ever
 * sent twice, except what Redis says it has not executed.
 */
export class ChargeQueue {
  readonly #settings: ChargeQueueSettings;
  readonly #waiting = new Map<number, Ticket[]>();
  #isScheduled = false;
  #isClosed = false;

  constructor(settings: ChargeQueueSettings) {
    this.#settings = settings;
  }

  /** Puts a group in the queue; never throws. */
  push(slot: number, ticket: Ticket): void {
    if (this.#isClosed) {
      this.#fail([ticket], new Error("the store is closed"));
      return;
    }
    const waiting = this.#waiting.get(slot);
    if (waiting === undefined) this.#waiting.set(slot, [ticket]);
    else waiting.push(ticket);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Not a microtask: requests on other sockets are read in the same turn, but later.
    setImmediate(() => {
      this.#flush();
    });
  }

  close(): void {
    this.#flush();
    this.#isClosed = true;
  }

  #flush(): void {
    this.#isScheduled = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [slot, tickets] of waiting) {
      for (const batch of batchesOf(tickets)) {
        void this.#send(slot, batch, this.#settings.deadlineMs);
      }
    }
  }

  async #send(slot: number, batch: ChargeBatch, deadlineMs: number): Promise<void> {
    const { connection, scriptTime, breakerOf, onSettled } = this.#settings;
    if (!connection.isReady()) {
      this.#fail(batch.tickets, new Error("there is no connection"));
      return;
    }
    const breaker = breakerOf(slot);
    if (!breaker.admits()) {
      this.#fail(batch.tickets, new Error("it failed before and is not tried yet"));
      return;
    }
    const startedAt = performance.now();
    try {
      const answer = connection.run(GCRA_SCRIPT, batch.names, batch.args(scriptTime()));
      const debts = requireDebts(await withinDeadline(answer, deadlineMs), batch.names.length);
      breaker.succeeded();
      batch.share(debts, (ticket, part) => {
        onSettled(ticket, part);
        ticket.resolve(part);
      });
    } catch (error) {
      if (batch.tickets.length > 1 && isSlotMoving(error)) {
        const leftMs = Math.max(deadlineMs - (performance.now() - startedAt), 1);
        this.#sendEach(slot, batch.tickets, leftMs);
        return;
      }
      breaker.failed(error);
      this.#fail(batch.tickets, error);
    }
  }

  #sendEach(slot: number, tickets: readonly Ticket[], deadlineMs: number): void {
    for (const ticket of tickets) {
      for (const batch of batchesOf([ticket])) void this.#send(slot, batch, deadlineMs);
    }
  }

  #fail(tickets: readonly Ticket[], cause: unknown): void {
    const error = this.#settings.explain(cause);
    for (const ticket of tickets) {
      this.#settings.onFailed(ticket);
      ticket.reject(error);
    }
  }
}

async function withinDeadline<T>(answer: Promise<T>, deadlineMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // After a long pause of this process timers come first; the answer may be in the socket.
      setImmediate(() => {
        reject(new DeadlinePassed(`no answer within ${deadlineMs} ms`));
      });
    }, deadlineMs);
    const stop = (): void => {
      clearTimeout(timer);
    };
    answer.then(resolve, reject).then(stop, stop);
  });
}

function requireDebts(reply: unknown, count: number): readonly number[] {
  if (Array.isArray(reply) && reply.length === count && reply.every(isDebt)) return reply;
  throw new Error("its answer was not the debts that were asked for");
}

function isDebt(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

/** While a slot moves, Redis refuses calls with several keys before it runs them. */
function isSlotMoving(error: unknown): boolean {
  return error instanceof Error && /^(TRYAGAIN|CROSSSLOT)\b/.test(error.message);
}
