import { CircuitBreaker } from "../circuit-breaker.ts";
import type { BreakerState } from "../circuit-breaker.ts";
import type { RateLimitError } from "../errors.ts";
import type { Charge, SharedStore } from "../shared-store.ts";
import { BlockCache } from "./block-cache.ts";
import { MAX_GROUP } from "./charge-batch.ts";
import type { Ticket } from "./charge-batch.ts";
import { ChargeQueue } from "./charge-queue.ts";
import { isTakenAhead } from "./gcra-script.ts";
import { openRedisConnection } from "./ioredis-adapter.ts";
import { keyName, slotOf } from "./key-name.ts";
import { PermitLeases } from "./permit-leases.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { isRefusal, isServerGone, isUnavailable, refused, unavailable } from "./redis-failure.ts";
import { parseRedisStoreOptions } from "./redis-store-options.ts";
import type { RedisStoreOptions, RedisStoreSettings } from "./redis-store-options.ts";

/** A capacity that refuses nothing: above every debt, and exact as a number of Lua. */
const UNLIMITED = 2 ** 52;

const READY_POLL_MS = 10;

/**
 * Keeps debts in Redis or Valkey, where several processes share them: one server, a master found by
 * sentinels, or a cluster. Redis 6 or later; ioredis 5 or 6.
 *
 * Groups are charged by a script, on the clock of Redis, so each is one atomic step. All that is
 * decided in one turn of the event loop travels in one call (one for each slot in a cluster).
 *
 * In a cluster a group whose keys differ may span slots. It is then charged slot by slot, and what
 * was charged is given back when one refuses: never admitted beyond a limit, but for a moment
 * another request may find less room than there is. A group has at most 32 entries.
 *
 * Connects at once and keeps trying. Whatever happens to Redis, a call is answered or rejected
 * within `deadlineMs`, and once Redis is back the store is too.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range.
 * @throws {SyntaxError} If `url` is malformed.
 */
export class RedisStore implements SharedStore {
  /** Longest wait for an answer. Milliseconds. */
  readonly deadlineMs: number;
  readonly #settings: RedisStoreSettings;
  readonly #clock: () => number;
  readonly #connection: RedisConnection;
  readonly #queue: ChargeQueue;
  readonly #breakers = new Map<string, CircuitBreaker>();
  readonly #blocked: BlockCache;
  readonly #leases: PermitLeases;
  #hasAnswered = false;
  #refusal: Error | undefined;
  #lastFailure: string | undefined;

  constructor(options: RedisStoreOptions) {
    const settings = parseRedisStoreOptions(options);
    const { clock, deadlineMs } = settings;
    this.#settings = settings;
    this.deadlineMs = deadlineMs;
    this.#clock = clock ?? (() => performance.now());
    this.#blocked = new BlockCache(settings.blockCacheKeys, settings.blockCacheMs);
    this.#leases = new PermitLeases(settings.leasePermits);
    this.#connection = openRedisConnection(settings.target, (error) => {
      this.#noteFailure(error);
    });
    this.#queue = new ChargeQueue({
      connection: this.#connection,
      deadlineMs,
      scriptTime: clock ?? (() => ""),
      breakerOf: (slot) => this.#breakerOf(slot),
      explain: (cause) => this.#explain(cause),
      onSettled: (ticket, debts) => {
        this.#onSettled(ticket, debts);
      },
      onFailed: ({ ahead, names }) => {
        if (ahead > 0) this.#leases.settle(names[0]!);
      },
    });
  }

  /**
   * Whether calls go out: "open" when they are refused at once, because there is no connection or a
   * server failed; "half-open" when one of them tries it again. Of a cluster the worst state of its
   * masters.
   */
  get breakerState(): BreakerState {
    if (!this.#connection.isReady()) return "open";
    const states = Array.from(this.#breakers.values(), ({ state }) => state);
    return states.find((state) => state === "open") ?? states.find(isNotClosed) ?? "closed";
  }

  /**
   * Resolves once Redis has answered. For a start that should fail loudly on wrong credentials; a
   * Redis that is down is waited for, until `signal` is aborted.
   *
   * @throws {RateLimitError} ERR_RATE_LIMIT_STORE_REFUSED when Redis refuses the credentials, or
   *   the commands that the store needs.
   */
  async ready(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    while (!this.#hasAnswered) {
      options.signal?.throwIfAborted();
      try {
        await this.charge([{ policyName: "ready", key: "", cost: 0, capacity: 0 }]);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        await new Promise((resolve) => {
          setTimeout(resolve, READY_POLL_MS);
        });
      }
    }
  }

  charge(group: readonly Charge[]): Promise<readonly number[]> {
    if (group.length === 0) return Promise.resolve([]);
    if (group.length > MAX_GROUP) return Promise.reject(tooLarge(group.length));
    const names = group.map(({ policyName, key }) => this.#nameOf(policyName, key));
    const now = this.#clock();
    const local = this.#blocked.answer(group, names, now) ?? this.#leased(group, names, now);
    if (local !== undefined) return Promise.resolve(local);
    if (!this.#connection.isCluster) return this.#chargeSlot(0, group, names, now);

    const slots = new Set(names.map(slotOf));
    if (slots.size > 1) return this.#chargeAcross(slots, group, names, now);
    return this.#chargeSlot(slotOf(names[0]!), group, names, now);
  }

  async refund(group: readonly Charge[]): Promise<void> {
    await Promise.all(
      group.map(({ policyName, key, cost }) => this.#giveBack(this.#nameOf(policyName, key), cost)),
    );
  }

  async forget(policyName: string, key: string): Promise<void> {
    await this.#giveBack(this.#nameOf(policyName, key), UNLIMITED);
  }

  /** Gives unused leases back and closes the connection. */
  async close(): Promise<void> {
    const leases = this.#leases.drain(this.#clock());
    const returned = leases.map(({ name, left }) => this.#giveBack(name, left));
    this.#queue.close();
    // Whether they arrived or not: what is not given back expires.
    await Promise.allSettled(returned);
    this.#connection.close();
  }

  #nameOf(policyName: string, key: string): string {
    return keyName(this.#settings.prefix, policyName, key);
  }

  #leased(
    group: readonly Charge[],
    names: readonly string[],
    now: number,
  ): readonly number[] | undefined {
    if (group.length > 1) return undefined;
    const debt = this.#leases.take(names[0]!, group[0]!.cost, now);
    return debt === undefined ? undefined : [debt];
  }

  #chargeSlot(
    slot: number,
    group: readonly Charge[],
    names: readonly string[],
    pushedAt: number,
  ): Promise<readonly number[]> {
    const ahead = group.length === 1 ? this.#leases.begin(names[0]!, group[0]!.cost) : 0;
    return new Promise((resolve, reject) => {
      this.#queue.push(slot, { names, group, ahead, pushedAt, resolve, reject });
    });
  }

  /** Charges the parts of a group in several slots; gives all back unless all were charged. */
  async #chargeAcross(
    slots: ReadonlySet<number>,
    group: readonly Charge[],
    names: readonly string[],
    pushedAt: number,
  ): Promise<readonly number[]> {
    const debts: number[] = [];
    const charged: number[] = [];
    const parts = Array.from(slots, async (slot) => {
      const indexes = [...names.keys()].filter((index) => slotOf(names[index]!) === slot);
      const part = indexes.map((index) => group[index]!);
      const partNames = indexes.map((index) => names[index]!);
      const partDebts = await this.#chargeSlot(slot, part, partNames, pushedAt);
      indexes.forEach((index, position) => {
        debts[index] = partDebts[position]!;
      });
      if (!isRefused(part, partDebts)) charged.push(...indexes);
    });
    const outcomes = await Promise.allSettled(parts);
    if (charged.length < group.length) {
      const returned = charged.map((index) => this.#giveBack(names[index]!, group[index]!.cost));
      // Not waited for, so that the answer keeps the deadline; what fails here drains by itself.
      void Promise.allSettled(returned);
    }
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    return debts;
  }

  async #giveBack(name: string, cost: number): Promise<void> {
    this.#blocked.forget(name);
    this.#leases.forget(name);
    const slot = this.#connection.isCluster ? slotOf(name) : 0;
    const group = [{ cost: -cost, capacity: UNLIMITED }];
    await new Promise((resolve, reject) => {
      this.#queue.push(slot, { names: [name], group, ahead: 0, pushedAt: 0, resolve, reject });
    });
  }

  #onSettled({ names, group, ahead, pushedAt }: Ticket, debts: readonly number[]): void {
    this.#hasAnswered = true;
    this.#lastFailure = undefined;
    if (ahead > 0) {
      const name = names[0]!;
      const debt = debts[0]!;
      this.#leases.settle(name);
      if (isTakenAhead(debt, ahead, group[0]!.capacity)) {
        this.#leases.add(name, ahead, debt, pushedAt);
      }
    }
    if (isRefused(group, debts)) this.#blocked.learn(group, names, debts, pushedAt);
  }

  #breakerOf(slot: number): CircuitBreaker {
    const node = this.#connection.nodeOf(slot);
    let breaker = this.#breakers.get(node);
    if (breaker === undefined) {
      breaker = new CircuitBreaker({
        ...this.#settings.breaker,
        clock: () => performance.now(),
        onChange: (state, error) => {
          this.#onBreakerChange(node, state, error);
        },
      });
      this.#breakers.set(node, breaker);
    }
    return breaker;
  }

  #onBreakerChange(node: string, state: BreakerState, error: unknown): void {
    const { onEvent } = this.#settings;
    if (state === "open") {
      if (isServerGone(error)) this.#connection.reconnect();
      onEvent({ kind: "breaker-opened", node, error });
    }
    if (state === "closed") onEvent({ kind: "breaker-closed", node });
  }

  #noteFailure(error: Error): void {
    if (isRefusal(error)) this.#refusal = error;
    if (error.message === this.#lastFailure) return;
    this.#lastFailure = error.message;
    this.#settings.onEvent({ kind: "connection-failed", error });
  }

  #explain(cause: unknown): RateLimitError {
    const refusal = isRefusal(cause) ? cause : this.#refusal;
    // Once it has worked, wrong credentials are an outage like any other.
    return refusal === undefined || this.#hasAnswered ? unavailable(cause) : refused(refusal);
  }
}

function isRefused(group: Ticket["group"], debts: readonly number[]): boolean {
  for (let index = 0; index < group.length; index++) {
    if (debts[index]! > group[index]!.capacity) return true;
  }
  return false;
}

function isNotClosed(state: BreakerState): boolean {
  return state !== "closed";
}

function tooLarge(size: number): RangeError {
  return new RangeError(`A group has at most ${MAX_GROUP} entries, got ${size}`);
}
