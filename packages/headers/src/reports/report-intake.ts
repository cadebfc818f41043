import { createHmac, randomBytes } from "node:crypto";
import { entryOf } from "./report-entry.ts";
import { parseReports, type DropReason } from "./report-parser.ts";
import type { ReportStore } from "./report-store.ts";

export const MAX_BODY_BYTES = 65_536;
const MAX_REPORTS_PER_BODY = 100;
const MAX_BODIES_PER_MINUTE = 1200;
const MINUTE_MS = 60_000;

const MEDIA_TYPES: readonly string[] = [
  "application/csp-report",
  "application/reports+json",
  // Safari before 16.4 and some senders on behalf of browsers.
  "application/json",
];

/** Asked before each body; the limiters of @hauberk/rate-limit have this shape. */
export interface ReportLimiter {
  /** Returns a decision whose kind is `"limited"` where the client must wait. */
  consume(key: string): { readonly kind: string } | Promise<{ readonly kind: string }>;
}

/** One body as it came, and from where. */
export interface ReportBody {
  readonly contentType: string | undefined;
  readonly content: Uint8Array;
  /** Host the request was sent to, `site.example:8443`: pages of that host may report. */
  readonly host: string | undefined;
  /** What stands for the client: it is limited by it, and only its keyed digest is kept. */
  readonly client: string;
}

/** What became of a body: stored, or the status that refuses it. */
export type IntakeOutcome =
  | { readonly kind: "stored"; readonly accepted: number }
  | { readonly kind: "refused"; readonly status: 400 | 413 | 415 | 429 | 503 };

/** Counted since the collector was made. */
export interface IntakeTotals {
  readonly accepted: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  readonly refusedBodies: number;
}

export interface IntakeSettings {
  readonly store: ReportStore;
  readonly limiter: ReportLimiter | undefined;
  /** Origins whose pages may report, besides the host that the report was sent to. */
  readonly origins: readonly string[];
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly onStoreFailure: (error: unknown) => void;
}

/** Takes bodies of reports and counts what became of them. */
export interface ReportIntake {
  readonly totals: () => IntakeTotals;
  take(body: ReportBody): Promise<IntakeOutcome>;
}

/** Returns the way from a body to the store: bounded, limited, stripped, folded. */
export function createReportIntake(settings: IntakeSettings): ReportIntake {
  const { store, limiter, clock } = settings;
  const secret = randomBytes(32);
  const budget = createMinuteBudget(MAX_BODIES_PER_MINUTE, clock);
  const dropped: Record<DropReason, number> = {
    "other-type": 0,
    malformed: 0,
    extension: 0,
    excess: 0,
    "foreign-page": 0,
  };
  let accepted = 0;
  let refusedBodies = 0;

  function refuse(status: Extract<IntakeOutcome, { kind: "refused" }>["status"]): IntakeOutcome {
    refusedBodies += 1;
    return { kind: "refused", status };
  }

  async function take({ contentType, content, host, client }: ReportBody): Promise<IntakeOutcome> {
    if (!MEDIA_TYPES.includes(mediaTypeOf(contentType))) return refuse(415);
    if (content.length > MAX_BODY_BYTES) return refuse(413);
    if (!budget()) return refuse(429);
    const decision = await limiter?.consume(client);
    if (decision?.kind === "limited") return refuse(429);
    const body = parseJson(content);
    if (body === undefined) return refuse(400);
    const parsed = parseReports(body, {
      maxReports: MAX_REPORTS_PER_BODY,
      isOwnPage: (origin) => settings.origins.includes(origin) || isOriginOf(host, origin),
    });
    for (const [reason, count] of Object.entries(parsed.dropped)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of that record
      dropped[reason as DropReason] += count;
    }
    const reporter = createHmac("sha256", secret).update(client).digest("base64url").slice(0, 11);
    const entries = parsed.violations.map((violation) => entryOf(violation, clock(), reporter));
    try {
      if (entries.length > 0) await store.add(entries);
    } catch (error) {
      settings.onStoreFailure(error);
      return refuse(503);
    }
    accepted += entries.length;
    return { kind: "stored", accepted: entries.length };
  }

  return { take, totals: () => ({ accepted, dropped: { ...dropped }, refusedBodies }) };
}

/** Whatever the limiter says, parsing takes no more than about a second of a minute. */
function createMinuteBudget(capacity: number, clock: () => number): () => boolean {
  let minute = 0;
  let used = 0;
  return () => {
    const current = Math.floor(clock() / MINUTE_MS);
    if (current !== minute) [minute, used] = [current, 0];
    used += 1;
    return used <= capacity;
  };
}

function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** Returns the value, or undefined for what is no JSON. JSON.parse of V8 does not recurse: depth is no danger. */
function parseJson(content: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Whether `origin` is that of the host under which the collector was addressed. */
function isOriginOf(host: string | undefined, origin: string): boolean {
  if (host === undefined) return false;
  return ["https://", "http://"].some(
    (scheme) => URL.canParse(scheme + host) && new URL(scheme + host).origin === origin,
  );
}
