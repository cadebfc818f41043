import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { connectDevtools, type DevtoolsConnection, type Fields } from "./devtools-connection.ts";

/** What every headless Chromium of the tests is started with. */
export const HEADLESS_FLAGS: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const PATIENCE_MS = 5000;

/** A headless Chromium. */
export interface Chromium {
  /** Opens a tab. */
  openPage(): Promise<Page>;
  /** Resolves when the process has ended. */
  close(): Promise<void>;
}

/** A response that a page received. */
export interface PageResponse {
  readonly url: string;
  readonly status: number;
  /** ALPN name, for example "h2". */
  readonly protocol: string;
  /** For example "TLS 1.3". */
  readonly tls: string | undefined;
}

/** A tab. */
export interface Page {
  /** Everything the tab received since it was opened. */
  readonly responses: readonly PageResponse[];
  /** What it wrote to the console, uncaught errors, the browser's own log and reported issues. */
  readonly complaints: readonly string[];
  /** Resolves after the load event of `url`; rejects with Chromium's reason when it refuses the page. */
  visit(url: string): Promise<void>;
  /** Changes the HTML of every page on its way to the tab, as a reflected injection does; its header fields stay. */
  rewriteDocuments(change: (html: string) => string): Promise<void>;
  /** Resolves with the value of `expression` in the page, which a promise is waited for. */
  evaluate(expression: string): Promise<unknown>;
  /** Resolves once `expression` is true in the page; rejects with the complaints when that takes too long. */
  waitUntil(expression: string): Promise<void>;
  /** Sends a command of the DevTools protocol to the tab. */
  send(method: string, params?: Fields): Promise<Fields>;
}

/** Starts Chromium; its profile and the certificate authorities it trusts are those in `home`. */
export function launchChromium(
  program: string,
  home: string,
  flags: readonly string[] = [],
): Chromium {
  const browser = spawn(
    program,
    [
      ...HEADLESS_FLAGS,
      ...flags,
      `--user-data-dir=${join(home, "chromium")}`,
      "--remote-debugging-pipe",
    ],
    { env: { ...process.env, HOME: home }, stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
  );
  const ended = once(browser, "exit");
  const connection = connectDevtools(browser.stdio[4] as Readable, browser.stdio[3] as Writable);
  return {
    openPage: () => openPage(connection),
    async close() {
      await connection.send("Browser.close");
      await ended;
    },
  };
}

async function openPage(connection: DevtoolsConnection): Promise<Page> {
  const { targetId } = await connection.send("Target.createTarget", { url: "about:blank" });
  const attached = await connection.send("Target.attachToTarget", { targetId, flatten: true });
  const sessionId = attached["sessionId"] as string;
  const send = (method: string, params?: Fields): Promise<Fields> =>
    connection.send(method, params, sessionId);

  let changeDocument = (html: string): string => html;
  const fulfil = async ({ requestId, ...paused }: PausedResponse): Promise<void> => {
    const { body } = await send("Fetch.getResponseBody", { requestId });
    const html = changeDocument(Buffer.from(body as string, "base64").toString());
    await send("Fetch.fulfillRequest", {
      requestId,
      responseCode: paused.responseStatusCode,
      responseHeaders: paused.responseHeaders.filter(({ name }) => name !== "content-length"),
      body: Buffer.from(html).toString("base64"),
    });
  };

  const responses: PageResponse[] = [];
  const complaints: string[] = [];
  connection.onEvent(sessionId, (method, params) => {
    if (method === "Network.responseReceived") responses.push(pageResponse(params));
    if (method === "Fetch.requestPaused") void fulfil(params as unknown as PausedResponse);
    const complaint = COMPLAINTS[method]?.(params);
    if (complaint !== undefined) complaints.push(complaint);
  });
  for (const domain of ["Page", "Network", "Runtime", "Log", "Audits"])
    await send(`${domain}.enable`);

  const evaluate = async (expression: string): Promise<unknown> => {
    const { result, exceptionDetails } = (await send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })) as unknown as Evaluation;
    if (exceptionDetails !== undefined) throw new Error(exceptionText(exceptionDetails));
    return result.value;
  };
  const waitUntil = async (expression: string): Promise<void> => {
    const isTrue = await evaluate(`new Promise((resolve) => {
      const deadline = performance.now() + ${PATIENCE_MS};
      const look = () => {
        const isTrue = Boolean(${expression});
        if (isTrue || performance.now() > deadline) resolve(isTrue);
        else setTimeout(look, 10);
      };
      look();
    })`);
    if (isTrue !== true) {
      throw new Error(`Not true in ${PATIENCE_MS} ms: ${expression}\n${complaints.join("\n")}`);
    }
  };
  return {
    responses,
    complaints,
    send,
    evaluate,
    waitUntil,
    async rewriteDocuments(change) {
      changeDocument = change;
      const patterns = [{ resourceType: "Document", requestStage: "Response" }];
      await send("Fetch.enable", { patterns });
    },
    async visit(url) {
      const { errorText } = (await send("Page.navigate", { url })) as { errorText?: string };
      if (errorText !== undefined) throw new Error(`Cannot load ${url}: ${errorText}`);
      await waitUntil(`performance.getEntriesByType("navigation")[0].loadEventEnd > 0`);
    },
  };
}

interface PausedResponse {
  readonly requestId: string;
  readonly responseStatusCode: number;
  readonly responseHeaders: readonly { readonly name: string; readonly value: string }[];
}

interface Thrown {
  readonly text: string;
  readonly exception?: { readonly description?: string };
}

interface Evaluation {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: Thrown;
}

interface LogEntry {
  readonly source: string;
  readonly level: string;
  readonly text: string;
}

const COMPLAINTS: Readonly<Record<string, (params: Fields) => string>> = {
  "Runtime.consoleAPICalled": ({ type, args }) => `console.${String(type)} ${JSON.stringify(args)}`,
  "Runtime.exceptionThrown": ({ exceptionDetails }) => exceptionText(exceptionDetails as Thrown),
  "Log.entryAdded": ({ entry }) => {
    const { source, level, text } = entry as LogEntry;
    return `${source} ${level}: ${text}`;
  },
  "Audits.issueAdded": ({ issue }) => `issue ${JSON.stringify(issue)}`,
};

function exceptionText({ text, exception }: Thrown): string {
  return exception?.description ?? text;
}

function pageResponse({ response }: Fields): PageResponse {
  const { url, status, protocol, securityDetails } = response as Omit<PageResponse, "tls"> & {
    readonly securityDetails?: { readonly protocol: string };
  };
  return { url, status, protocol, tls: securityDetails?.protocol };
}
