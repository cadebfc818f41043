import { join } from "node:path";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { type Chromium, launchChromium, type Page } from "../support/chromium.ts";
import { requireProgram } from "../support/external.ts";
import { type Running, startHauberk } from "../support/hauberk-process.ts";
import { trustAuthority } from "../support/nss-database.ts";
import { rejection } from "../support/rejection.ts";
import { repositoryRoot } from "../support/repository.ts";
import { tempDirectory } from "../support/temp-directory.ts";

type Preset = "strict" | "site";
const PRESETS: readonly Preset[] = ["strict", "site"];

/** Makes an attacker's markup acceptable to Trusted Types, as a careless policy of a library would. */
const CARELESS = `trustedTypes.createPolicy("careless" + Math.random(), { createHTML: (text) => text })`;

interface Injection {
  readonly name: string;
  /** Adds something to the page that evaluates RUN unless it is stopped. */
  readonly code: string;
  /** The directive that stops it. */
  readonly stoppedBy: Readonly<Record<Preset, string>>;
}

const INJECTIONS: readonly Injection[] = [
  {
    name: "an inline script",
    code: `const script = document.createElement("script");
      script.append(RUN);
      document.body.append(script);`,
    stoppedBy: { strict: "require-trusted-types-for", site: "script-src-elem" },
  },
  {
    name: "an onclick attribute",
    code: `const button = document.createElement("button");
      button.setAttribute("onclick", RUN);
      button.click();`,
    stoppedBy: { strict: "require-trusted-types-for", site: "script-src-attr" },
  },
  {
    name: "an onclick attribute by way of a careless Trusted Types policy",
    code: `const holder = document.createElement("div");
      holder.innerHTML = ${CARELESS}.createHTML("<button onclick='" + RUN + "'></button>");
      holder.firstChild.click();`,
    stoppedBy: { strict: "trusted-types", site: "script-src-attr" },
  },
  {
    // 'strict-dynamic' trusts what a script inserts, inline scripts of a fragment included.
    name: "a fragment with a script by way of a careless Trusted Types policy",
    code: `const fragment = ${CARELESS}.createHTML("<script>" + RUN + "</" + "script>");
      document.body.append(document.createRange().createContextualFragment(fragment));`,
    stoppedBy: { strict: "trusted-types", site: "script-src-elem" },
  },
  {
    name: "a javascript: link",
    code: `const link = document.createElement("a");
      link.href = "javascript:" + RUN;
      document.body.append(link);
      link.click();`,
    stoppedBy: { strict: "script-src-elem", site: "script-src-elem" },
  },
  {
    name: "a data: script",
    code: `const script = document.createElement("script");
      script.src = "data:text/javascript," + RUN;
      document.body.append(script);`,
    stoppedBy: { strict: "require-trusted-types-for", site: "script-src-elem" },
  },
  {
    name: "text given to a timer",
    code: `setTimeout(RUN);`,
    stoppedBy: { strict: "require-trusted-types-for", site: "script-src" },
  },
];

const REFLECTED = `<script>document.documentElement.dataset.ran = "yes"</script>
  <p id="reflected" onclick="document.documentElement.dataset.clicked = 'yes'">reflected</p>`;

/** Answers as a server would that repeats its request in the page unescaped. */
function reflect(html: string): string {
  return html.replace("</body>", `${REFLECTED}</body>`);
}

/** Lists the marks that scripts left on the root element; "protocol" is the page's own. */
const MARKS = "Object.keys(document.documentElement.dataset)";

/** Injects into the page and resolves with "ran", or with the directive of the reported violation. */
function inject(page: Page, { code }: Injection): Promise<unknown> {
  return page.evaluate(`new Promise((resolve) => {
    const RUN = "document.documentElement.dataset.ran=\`yes\`";
    const root = document.documentElement;
    delete root.dataset.ran;
    new MutationObserver(() => resolve("ran")).observe(root, { attributeFilter: ["data-ran"] });
    addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true });
    try {
      ${code}
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof EvalError)) throw error;
    }
  })`);
}

async function injectEach(page: Page): Promise<Readonly<Record<string, unknown>>> {
  const outcomes: Record<string, unknown> = {};
  for (const injection of INJECTIONS) outcomes[injection.name] = await inject(page, injection);
  return outcomes;
}

function expectedOutcomes(
  outcome: (injection: Injection) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(INJECTIONS.map((injection) => [injection.name, outcome(injection)]));
}

describe("the sample site in Chromium over HTTPS", function () {
  this.timeout(15_000);
  const origins = new Map<Preset, string>();
  const servers: Running[] = [];
  const browsers: Chromium[] = [];
  let program: string;
  let browser: Chromium;

  after(async () => {
    await Promise.all(browsers.map((each) => each.close()));
    for (const { child } of servers) child.kill("SIGTERM");
    await Promise.all(servers.map(({ finished }) => finished));
  });
  const directory = tempDirectory();

  before(async function () {
    program = requireProgram(this, "chromium");
    const certutil = requireProgram(this, "certutil");
    let caFile = "";
    for (const preset of PRESETS) {
      const args = ["--preset", preset, "--port", "0", "--http-port", "off", "--log", "off"];
      const server = startHauberk(["serve", join(repositoryRoot, "examples", "site"), ...args], {
        cwd: directory,
        env: { HAUBERK_HOME: join(directory, "hauberk") },
      });
      servers.push(server);
      const said = await server.waitFor(/(https:\/\/localhost:\d+)\/[^]*CA to trust: (.+)\n/);
      origins.set(preset, said[1] ?? "");
      caFile = said[2] ?? "";
    }
    const home = join(directory, "trusting");
    trustAuthority(certutil, home, caFile);
    browser = launch(home);
  });

  function launch(home: string): Chromium {
    const launched = launchChromium(program, home);
    browsers.push(launched);
    return launched;
  }

  function address(preset: Preset, path = "/"): string {
    return `${origins.get(preset) ?? ""}${path}`;
  }

  async function openStartPage(preset: Preset): Promise<Page> {
    const page = await browser.openPage();
    await page.visit(address(preset));
    await page.waitUntil(`document.getElementById("header-count").textContent !== "unknown"`);
    return page;
  }

  for (const preset of PRESETS) {
    describe(`with the ${preset} preset`, () => {
      it("loads over HTTP/2 and TLS 1.3 without a word on the console", async () => {
        const page = await openStartPage(preset);
        await page.visit(address(preset, "/docs/"));
        expect(page.complaints).to.deep.equal([]);
        const received = page.responses.map(({ url, ...rest }) => ({
          path: new URL(url).pathname,
          ...rest,
        }));
        expect(received.map(({ path }) => path)).to.include.members([
          "/",
          "/style.css",
          "/app.js",
          "/hauberk.svg",
          "/mail.webp",
          "/docs/",
        ]);
        for (const response of received) {
          expect(response).to.include({ protocol: "h2", tls: "TLS 1.3" });
          expect(response.status).to.be.oneOf([200, 304]);
        }
      });

      it("runs the page's inline script and its module", async () => {
        const page = await openStartPage(preset);
        expect(await page.evaluate("document.documentElement.dataset.protocol")).to.equal("h2");
        const facts = await page.evaluate(
          `Object.fromEntries(["protocol", "connection", "header-count"].map((id) =>
            [id, document.getElementById(id).textContent]))`,
        );
        const { length } = (await page.evaluate(
          `[...document.querySelectorAll("#header-list dt")].map((term) => term.textContent)`,
        )) as readonly string[];
        expect(length).to.be.greaterThan(8);
        expect(facts).to.deep.equal({
          protocol: "HTTP/2",
          connection: "Encrypted",
          "header-count": String(length),
        });
      });

      it("stops what was written into the page on its way, and runs the rest", async () => {
        const page = await browser.openPage();
        await page.rewriteDocuments(reflect);
        await page.send("Page.addScriptToEvaluateOnNewDocument", {
          source: `globalThis.violations = [];
            addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));`,
        });
        await page.visit(address(preset));
        await page.evaluate(`document.getElementById("reflected").click()`);
        expect(await page.evaluate("violations")).to.deep.equal([
          "script-src-elem",
          "script-src-attr",
        ]);
        expect(await page.evaluate(MARKS)).to.deep.equal(["protocol"]);
      });

      it("stops what a flaw in a script injects, and reports the directive", async () => {
        const page = await openStartPage(preset);
        const expected = expectedOutcomes(({ stoppedBy }) => stoppedBy[preset]);
        expect(await injectEach(page)).to.deep.equal(expected);
        expect(await page.evaluate(`"ran" in document.documentElement.dataset`)).to.equal(false);
      });

      it("says so when its own button injects a script", async () => {
        const page = await openStartPage(preset);
        await page.evaluate(`document.getElementById("prove").click()`);
        await page.waitUntil(`document.getElementById("verdict").textContent !== ""`);
        const [inlineScript] = INJECTIONS;
        expect(
          await page.evaluate(
            `({ ...document.getElementById("verdict").dataset, text: document.getElementById("verdict").textContent })`,
          ),
        ).to.deep.equal({
          outcome: "blocked",
          text: `Blocked. Instead of running it, the browser applied ${inlineScript?.stoppedBy[preset]}.`,
        });
      });
    });
  }

  it("would run everything injected if the browser ignored the policy", async () => {
    const page = await browser.openPage();
    await page.send("Page.setBypassCSP", { enabled: true });
    await page.rewriteDocuments(reflect);
    await page.visit(address("strict"));
    await page.evaluate(`document.getElementById("reflected").click()`);
    expect(await page.evaluate(MARKS)).to.have.members(["protocol", "ran", "clicked"]);
    expect(await injectEach(page)).to.deep.equal(expectedOutcomes(() => "ran"));
  });

  it("is refused by a browser that does not trust the CA", async () => {
    const page = await launch(join(directory, "distrusting")).openPage();
    const error = await rejection(page.visit(address("strict")));
    expect(error.message).to.include("net::ERR_CERT_AUTHORITY_INVALID");
    expect(page.responses).to.deep.equal([]);
  });
});
