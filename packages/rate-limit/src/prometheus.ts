import type { LimiterMetrics } from "./metrics.ts";

const BREAKER_STATES = ["closed", "half-open", "open"] as const;

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** Returns what a limiter has to say: labels besides the policy, and a value. */
  readonly samples: (metrics: LimiterMetrics) => readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number | undefined;
  }[];
}

const FAMILIES: readonly Family[] = [
  {
    name: "rate_limit_decisions_total",
    type: "counter",
    help: "Requests by what the policy decided.",
    samples: ({ admitted, limited, dryRunLimited, unavailable }) => [
      { labels: { decision: "admitted" }, value: admitted },
      { labels: { decision: "limited" }, value: limited },
      { labels: { decision: "dry_run_limited" }, value: dryRunLimited },
      { labels: { decision: "unavailable" }, value: unavailable },
    ],
  },
  {
    name: "rate_limit_fallback_decisions_total",
    type: "counter",
    help: "Requests decided in the process, for lack of an answer from the store.",
    samples: ({ fallback }) => [{ labels: {}, value: fallback }],
  },
  {
    name: "rate_limit_breaker_state",
    type: "gauge",
    help: "State of the circuit breaker before the store: 1 for the one it is in.",
    samples: ({ breaker }) =>
      BREAKER_STATES.map((state) => ({
        labels: { state },
        value: breaker === undefined ? undefined : Number(breaker === state),
      })),
  },
  {
    name: "rate_limit_table_keys",
    type: "gauge",
    help: "Keys in debt in the table of the store.",
    samples: ({ table }) => [{ labels: {}, value: table?.occupied }],
  },
  {
    name: "rate_limit_table_capacity",
    type: "gauge",
    help: "Keys that the table of the store has room for.",
    samples: ({ table }) => [{ labels: {}, value: table?.capacity }],
  },
];

/** Media type of `prometheusText`. */
export const PROMETHEUS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Returns metrics of limiters in the text exposition format of Prometheus, to be sent as
 * `PROMETHEUS_MEDIA_TYPE`. What a limiter does not count is left out.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function prometheusText(limiters: readonly LimiterMetrics[]): string {
  return FAMILIES.map((family) => familyText(family, limiters)).join("");
}

function familyText(
  { name, type, help, samples }: Family,
  limiters: readonly LimiterMetrics[],
): string {
  const lines = limiters.flatMap((metrics) =>
    samples(metrics).flatMap(({ labels, value }) => {
      if (value === undefined) return [];
      const pairs = Object.entries({ policy: metrics.policyName, ...labels });
      return [`${name}{${pairs.map(labelText).join(",")}} ${value}\n`];
    }),
  );
  return lines.length === 0
    ? ""
    : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelText([label, value]: readonly [string, string]): string {
  return `${label}="${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
