import type { OutgoingHttpHeader, ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";

type Response = ServerResponse | Http2ServerResponse;
type HeaderList = Readonly<Record<string, OutgoingHttpHeader | undefined>> | readonly unknown[];
type HeadArguments = readonly [(string | HeaderList)?, HeaderList?];
type WriteHead = (status: number, ...rest: HeadArguments) => Response;

/**
 * Calls `listener` with the status once all headers of the response are known and can still be
 * changed, also those that the application hands to `writeHead`. Node calls `writeHead` itself where
 * the application does not.
 */
export function beforeHead(response: Response, listener: (status: number) => void): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both protocols' overloads take this
  const writeHead = response.writeHead.bind(response) as WriteHead;
  Object.assign(response, {
    writeHead(status: number, ...rest: HeadArguments) {
      if (response.headersSent) return writeHead(status, ...rest);
      const reason = typeof rest[0] === "string" ? rest[0] : undefined;
      takeOver(response, typeof rest[0] === "string" ? rest[1] : rest[0]);
      listener(status);
      return reason === undefined ? writeHead(status) : writeHead(status, reason);
    },
  });
}

/** Sets what was given to `writeHead`, so that there is one place to look: lists replace, then add. */
function takeOver(response: Response, given: HeaderList | undefined): void {
  if (given === undefined) return;
  const pairs = headerPairs(given);
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) {
    for (const line of [value].flat()) response.appendHeader(name, String(line));
  }
}

function headerPairs(given: HeaderList): [name: string, value: unknown][] {
  if (!Array.isArray(given)) {
    return Object.entries(given).filter(([, value]) => value !== undefined);
  }
  const list: readonly unknown[] = given;
  if (list.every((item) => Array.isArray(item))) {
    return list.map(([name, value]: readonly unknown[]) => [String(name), value]);
  }
  return list.flatMap((name, index) => (index % 2 === 0 ? [[String(name), list[index + 1]]] : []));
}
