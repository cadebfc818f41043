import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import helmet from "helmet";
import type { ContentSecurityPolicy, Directive, EntryFunction } from "./content-security-policy.ts";
import { isDirectiveName } from "./csp-directives.ts";
import type { HeaderSettings } from "./header-settings.ts";

/** What helmet does to a response, found out by letting it do so once. */
export interface RecordedHeaders {
  /** Values by lower-case name, without the Content-Security-Policy. */
  readonly values: ReadonlyMap<string, string>;
  /** The policies as helmet wrote them, the enforced one first. */
  readonly policies: readonly RecordedPolicy[];
  readonly removesPoweredBy: boolean;
}

/** A policy directive by directive, and the header it goes into. */
export interface RecordedPolicy {
  readonly name: string;
  readonly directives: readonly Directive[];
}

const POLICY_NAMES = ["content-security-policy", "content-security-policy-report-only"];
const FUNCTION_ENTRY = /^'function-(\d+)'$/;

type HelmetPolicy = NonNullable<Parameters<typeof helmet.contentSecurityPolicy>[0]>;

/** Writes each function as a quoted word that no checked entry can be, and remembers which it is. */
function helmetPolicy(policy: ContentSecurityPolicy, functions: EntryFunction[]): HelmetPolicy {
  const directives: HelmetPolicy["directives"] = {};
  for (const { name, entries } of policy.directives.values()) {
    directives[name] = entries.map((entry) =>
      typeof entry === "string" ? entry : `'function-${functions.push(entry) - 1}'`,
    );
  }
  directives["default-src"] ??= helmet.contentSecurityPolicy.dangerouslyDisableDefaultSrc;
  return { useDefaults: false, reportOnly: policy.reportOnly, directives };
}

function readPolicy(text: string, functions: readonly EntryFunction[]): Directive[] {
  return text.split(";").flatMap((directive) => {
    const [name = "", ...entries] = directive.split(" ");
    if (!isDirectiveName(name)) return [];
    const restored = entries.map(
      (entry) => functions[Number(FUNCTION_ENTRY.exec(entry)?.[1])] ?? entry,
    );
    return [{ name, entries: restored }];
  });
}

/** Runs helmet on a response that is never sent and returns what it left there. */
export function recordHelmet(settings: HeaderSettings): RecordedHeaders {
  const functions: EntryFunction[] = [];
  const {
    contentSecurityPolicy,
    contentSecurityPolicyReportOnly,
    crossOriginEmbedderPolicy,
    crossOriginOpenerPolicy,
    crossOriginResourcePolicy,
    referrerPolicy,
    xDnsPrefetchControl,
    xFrameOptions,
    xPermittedCrossDomainPolicies,
  } = settings;
  const middleware = helmet({
    contentSecurityPolicy:
      contentSecurityPolicy !== undefined && helmetPolicy(contentSecurityPolicy, functions),
    crossOriginEmbedderPolicy: crossOriginEmbedderPolicy && {
      policy: crossOriginEmbedderPolicy.policy,
    },
    crossOriginOpenerPolicy: crossOriginOpenerPolicy && { policy: crossOriginOpenerPolicy.policy },
    crossOriginResourcePolicy: crossOriginResourcePolicy && { policy: crossOriginResourcePolicy },
    originAgentCluster: settings.originAgentCluster,
    referrerPolicy: referrerPolicy && { policy: [...referrerPolicy] },
    strictTransportSecurity: settings.strictTransportSecurity ?? false,
    xContentTypeOptions: settings.xContentTypeOptions,
    xDnsPrefetchControl: xDnsPrefetchControl && { allow: xDnsPrefetchControl === "on" },
    xDownloadOptions: settings.xDownloadOptions,
    xFrameOptions: xFrameOptions && { action: xFrameOptions },
    xPermittedCrossDomainPolicies: xPermittedCrossDomainPolicies && {
      permittedPolicies: xPermittedCrossDomainPolicies,
    },
    xPoweredBy: settings.xPoweredBy,
    xXssProtection: settings.xXssProtection,
  });
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  response.setHeader("x-powered-by", "");
  middleware(request, response, () => undefined);
  if (contentSecurityPolicyReportOnly !== undefined) {
    const policy = helmetPolicy(contentSecurityPolicyReportOnly, functions);
    helmet.contentSecurityPolicy(policy)(request, response, () => undefined);
  }

  const removesPoweredBy = !response.hasHeader("x-powered-by");
  response.removeHeader("x-powered-by");
  const values = new Map<string, string>();
  const policies: RecordedPolicy[] = [];
  for (const [name, value] of Object.entries(response.getHeaders())) {
    if (POLICY_NAMES.includes(name))
      policies.push({ name, directives: readPolicy(String(value), functions) });
    else values.set(name, String(value));
  }
  return { values, policies, removesPoweredBy };
}
