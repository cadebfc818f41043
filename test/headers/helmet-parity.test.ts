import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { securityHeaders, type SecurityHeadersOptions } from "@hauberk/headers";
import { expect } from "chai";
import helmet, { type HelmetOptions } from "helmet";
import { describe, it } from "mocha";

/** What helmet's value becomes here, and why. */
interface Difference {
  readonly why: string;
  /** Returns our value for helmet's; undefined where the header is left out. */
  readonly ours: (value: string) => string | undefined;
}

const NONCE: Difference = {
  why: "the preset's script-src admits scripts with the response's nonce",
  ours: (value) => value.replace("script-src 'self'", "script-src 'self' 'nonce-N'"),
};

const TWO_YEARS: Difference = {
  why: "hstspreload.org and OWASP recommend two years",
  ours: (value) => value.replace("max-age=31536000", "max-age=63072000"),
};

const DENY_ANCESTORS: Difference = {
  why: "frame-ancestors follows X-Frame-Options, which browsers with frame-ancestors ignore",
  ours: (value) => NONCE.ours(value)?.replace("frame-ancestors 'self'", "frame-ancestors 'none'"),
};

const FOLLOW_ANCESTORS: Difference = {
  why: "X-Frame-Options follows frame-ancestors",
  ours: () => "DENY",
};

const NO_FRAME_OPTIONS: Difference = {
  why: "X-Frame-Options cannot name hosts",
  ours: () => undefined,
};

const NO_UPGRADE: Difference = {
  why: "browsers ignore upgrade-insecure-requests in a policy that only reports",
  ours: (value) => NONCE.ours(value)?.replace(";upgrade-insecure-requests", ""),
};

const USUAL = {
  "content-security-policy": NONCE,
  "strict-transport-security": TWO_YEARS,
};

interface Row {
  readonly options: HelmetOptions & SecurityHeadersOptions;
  readonly differences: Readonly<Record<string, Difference>>;
}

function row(
  options: HelmetOptions & SecurityHeadersOptions,
  differences: Readonly<Record<string, Difference>> = USUAL,
): Row {
  return { options, differences };
}

const { "content-security-policy": _nonce, ...WITHOUT_POLICY } = USUAL;
const { "strict-transport-security": _years, ...WITHOUT_HSTS } = USUAL;
const own = { useDefaults: false } as const;

const ROWS: readonly Row[] = [
  row({}),
  row({ contentSecurityPolicy: false }, WITHOUT_POLICY),
  row({ contentSecurityPolicy: true }),
  row({ contentSecurityPolicy: { directives: { imgSrc: ["'self'", "https://img.example"] } } }),
  row({ contentSecurityPolicy: { directives: { "img-src": ["*"], styleSrc: null } } }),
  row(
    { contentSecurityPolicy: { directives: { scriptSrc: ["'self'", "https://cdn.example"] } } },
    WITHOUT_POLICY,
  ),
  row({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }),
  row(
    {
      contentSecurityPolicy: { ...own, directives: { defaultSrc: ["'none'"], imgSrc: ["'self'"] } },
    },
    WITHOUT_POLICY,
  ),
  row(
    {
      contentSecurityPolicy: {
        ...own,
        directives: { defaultSrc: "'self'", sandbox: ["allow-forms", "allow-scripts"] },
      },
    },
    WITHOUT_POLICY,
  ),
  row(
    {
      contentSecurityPolicy: {
        ...own,
        directives: { defaultSrc: ["'self'"], reportUri: ["/reports"], reportTo: ["csp"] },
      },
    },
    WITHOUT_POLICY,
  ),
  row(
    {
      contentSecurityPolicy: {
        ...own,
        directives: {
          defaultSrc: helmet.contentSecurityPolicy.dangerouslyDisableDefaultSrc,
          objectSrc: ["'none'"],
        },
      },
    },
    WITHOUT_POLICY,
  ),
  row(
    {
      contentSecurityPolicy: {
        ...own,
        directives: {
          defaultSrc: ["'self'"],
          scriptSrc: ["'self'", () => "https://computed.example"],
        },
      },
    },
    WITHOUT_POLICY,
  ),
  row(
    { contentSecurityPolicy: { directives: { frameAncestors: ["'none'"] } } },
    { ...USUAL, "x-frame-options": FOLLOW_ANCESTORS },
  ),
  row(
    { contentSecurityPolicy: { directives: { frameAncestors: ["https://partner.example"] } } },
    { ...USUAL, "x-frame-options": NO_FRAME_OPTIONS },
  ),
  row(
    { contentSecurityPolicy: { reportOnly: true } },
    { ...WITHOUT_POLICY, "content-security-policy-report-only": NO_UPGRADE },
  ),
  row({ crossOriginEmbedderPolicy: true }),
  row({ crossOriginEmbedderPolicy: { policy: "credentialless" } }),
  row({ crossOriginOpenerPolicy: { policy: "same-origin-allow-popups" } }),
  row({ crossOriginOpenerPolicy: false }),
  row({ crossOriginResourcePolicy: { policy: "cross-origin" } }),
  row({ originAgentCluster: false }),
  row({ referrerPolicy: { policy: ["origin", "strict-origin-when-cross-origin"] } }),
  row({ strictTransportSecurity: false }, WITHOUT_HSTS),
  row({ strictTransportSecurity: { maxAge: 31_536_000, preload: true } }, WITHOUT_HSTS),
  row({ hsts: { maxAge: 0, includeSubDomains: false } }, WITHOUT_HSTS),
  row({ noSniff: false, ieNoOpen: false, xssFilter: false }),
  row({ dnsPrefetchControl: { allow: true } }),
  row(
    { xFrameOptions: { action: "deny" } },
    { ...USUAL, "content-security-policy": DENY_ANCESTORS },
  ),
  row({ frameguard: { action: "sameorigin" } }),
  row({ xFrameOptions: false }),
  row({ permittedCrossDomainPolicies: { permittedPolicies: "by-content-type" } }),
  row({ hidePoweredBy: false }),
];

type Pass = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** Returns what a response over TLS gets from the middleware, the nonce written as N. */
function headersFrom(middleware: Pass): ReadonlyMap<string, string> {
  const request = new IncomingMessage(Object.assign(new Socket(), { encrypted: true }));
  const response = new ServerResponse(request);
  response.setHeader("x-powered-by", "Express");
  middleware(request, response, () => undefined);
  return new Map(
    Object.entries(response.getHeaders()).map(([name, value]) => [
      name,
      String(value).replace(/'nonce-[\w-]+'/, "'nonce-N'"),
    ]),
  );
}

function titleOf(options: object): string {
  return JSON.stringify(options, (_key, value: unknown) =>
    typeof value === "symbol" || typeof value === "function" ? String(value) : value,
  );
}

describe("the same options give the values of helmet", () => {
  it("in 30 configurations at least", () => {
    expect(ROWS.length).to.be.at.least(30);
  });

  for (const { options, differences } of ROWS) {
    it(`for ${titleOf(options)}`, () => {
      const theirs = headersFrom(helmet(options));
      const ours = headersFrom(securityHeaders(options));
      for (const [name, value] of theirs) {
        const expected = differences[name] === undefined ? value : differences[name].ours(value);
        expect(ours.get(name), name).to.equal(expected);
      }
    });

    it(`but for ${Object.keys(differences).join(", ") || "nothing"}, in ${titleOf(options)}`, () => {
      const theirs = headersFrom(helmet(options));
      for (const [name, { ours, why }] of Object.entries(differences)) {
        expect(ours(theirs.get(name) ?? ""), why).to.not.equal(theirs.get(name));
      }
    });
  }

  it("and no header more than Permissions-Policy", () => {
    const theirs = headersFrom(helmet());
    const added = [...headersFrom(securityHeaders()).keys()].filter((name) => !theirs.has(name));
    expect(added).to.deep.equal(["permissions-policy"]);
  });
});
