import type { ContentSecurityPolicy } from "./content-security-policy.ts";
import { echo, oneOf, optionRecord } from "./option-checks.ts";

const ANCESTOR_OF = { sameorigin: "'self'", deny: "'none'" } as const;

export type FrameAction = keyof typeof ANCESTOR_OF;

/** Options of the X-Frame-Options header. */
export interface XFrameOptionsOptions {
  /**
   * Who may show the page in a frame: nobody, or pages of the same origin. Left out, it follows
   * the policy's frame-ancestors; given without frame-ancestors, that directive follows it.
   *
   * @see RFC 7034 section 2.1
   */
  readonly action?: FrameAction;
}

const FRAME_ACTIONS: readonly FrameAction[] = ["sameorigin", "deny"];

const KNOWN_OPTIONS = { action: true } satisfies Record<keyof XFrameOptionsOptions, true>;

function parseAction(path: string, option: unknown): FrameAction | undefined {
  if (option === undefined || option === true) return undefined;
  const action = optionRecord(path, option, KNOWN_OPTIONS).get("action");
  if (action === undefined) return undefined;
  // helmet takes any case, and "same-origin" as well.
  const spelled = typeof action === "string" ? action.toLowerCase().replace("-", "") : action;
  return oneOf(`${path}.action`, spelled, FRAME_ACTIONS);
}

/** Returns the action that says the same as frame-ancestors, or false when none does. */
function actionOf(ancestors: readonly unknown[]): FrameAction | false {
  if (ancestors.length !== 1) return false;
  if (ancestors[0] === ANCESTOR_OF.deny) return "deny";
  return ancestors[0] === ANCESTOR_OF.sameorigin ? "sameorigin" : false;
}

/**
 * Decides X-Frame-Options and frame-ancestors together, so that they never contradict each other:
 * what the options name wins over the preset, and the other header follows.
 *
 * @throws {TypeError} If the options name both and they differ.
 */
export function parseFraming(
  path: string,
  option: unknown,
  { policy, preset }: { policy: ContentSecurityPolicy | undefined; preset: FrameAction },
): { action: FrameAction | false; policy: ContentSecurityPolicy | undefined } {
  if (option === false) return { action: false, policy };
  const action = parseAction(path, option);
  const ancestors = policy?.directives.get("frame-ancestors")?.entries;
  if (policy === undefined || ancestors === undefined || policy.reportOnly) {
    return { action: action ?? preset, policy };
  }
  const implied = actionOf(ancestors);
  if (action === undefined || action === implied) return { action: implied, policy };
  if (policy.given.has("frame-ancestors")) {
    throw new TypeError(
      `${path}.action ${echo(action)} contradicts frame-ancestors ${echo(ancestors)}; leave one out, or set ${path}: false`,
    );
  }
  const directives = new Map(policy.directives);
  directives.set("frame-ancestors", { name: "frame-ancestors", entries: [ANCESTOR_OF[action]] });
  return { action, policy: { ...policy, directives } };
}
