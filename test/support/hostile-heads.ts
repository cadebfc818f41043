import fc, { type Arbitrary } from "fast-check";

type Fields = readonly (readonly [name: string, value: string])[];

/** The parts of an HTTP/1.1 request head, none of them with a line break. */
export interface HostileHead {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: Fields;
}

/** Files that exist, so that conditions and ranges meet something. */
const FILES = ["/", "/ten.txt", "/big.bin", "/page.html", "/style.css", "/nothing.txt", "/sub/"];

const TRAVERSAL_PIECES =
  `.. . ... %2e%2e %2E. .%2e %252e%252e ..%2f ..%5c ..\\ ..;  %00 %0d%0a %c0%ae%c0%ae %c0%af %e0%80%af %u002e
  %ff %zz % ~ $ root outside secret.txt secret out.txt out out/secret.txt up up/outside/secret.txt linked-index
  sidecar.txt sidecar.txt.gz .env .git/config .well-known .well-known/../.env sub index.html C: ::$DATA con file:
  proc/self/environ etc/passwd __proto__ constructor`.split(/\s+/);

const METHODS =
  "GET GET GET GET HEAD POST PUT DELETE OPTIONS PATCH TRACE CONNECT BREW get M-SEARCH PROPFIND".split(
    " ",
  );
const VERSIONS = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9"];
const HOSTS =
  `localhost localhost localhost app.test 127.0.0.1 LOCALHOST:443 localhost:0 localhost:99999 evil.test
  localhost.evil.test localhost@evil.test a/b localhost:1:2 [::1] [::1 [::ffff:127.0.0.1]:1 %6cocalhost xn-- . *
  localhost. ../..`.split(/\s+/);

const ETAGS = `* "" W/"" "a" W/"a" "a","b" "a" "b" , ,,, " "unclosed W/ w/"a" "\x80"`.split(" ");
const DATES = [
  "Sun, 06 Nov 1994 08:49:37 GMT",
  "Sunday, 06-Nov-94 08:49:37 GMT",
  "Sun Nov  6 08:49:37 1994",
  "Fri, 31 Dec 9999 23:59:60 GMT",
  "Sun, 31 Feb 2027 00:00:00 GMT",
  "0",
  "now",
];
const CODINGS = "br gzip zstd identity * deflate x-gzip br;q=0 *;q=0 gzip;q=2 ;q=1 br;q=".split(
  " ",
);
const TOKENS =
  `close keep-alive, upgrade te 100-continue tea h2c websocket trailers 5 -1 +5 0x5 chunked identity
  gzip,chunked unknown ${"a".repeat(300)} \x80\xff {{7*7}} () <script> no-cache multipart/form-data`.split(
    /\s+/,
  );
const FIELD_NAMES =
  `accept accept-language connection upgrade expect te trailer via forwarded x-forwarded-for x-forwarded-host
  x-forwarded-proto x-original-url x-rewrite-url x-http-method-override content-type origin cookie authorization
  user-agent referer __proto__ constructor proxy`.split(/\s+/);

const visible = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map(toCharacter) });
const anyByte = fc.string({
  unit: fc
    .integer({ min: 0, max: 0xff })
    .filter((code) => code !== 0x0a && code !== 0x0d)
    .map(toCharacter),
});

const position = fc.oneof(
  fc.nat({ max: 12 }),
  fc.constantFrom(0, 9, 10, 599_999, 600_000, 2 ** 31, 2 ** 53, 1e21),
);
const byteRange = fc.oneof(
  fc.tuple(position, position).map(([first, last]) => `${first}-${last}`),
  position.map((first) => `${first}-`),
  position.map((length) => `-${length}`),
  fc.constantFrom("-", "", " ", "a-b", "1-2-3", "--1", "0x1-2", "9".repeat(400)),
);
const range = fc
  .tuple(
    fc.constantFrom("bytes=", "bytes=", "bytes=", "BYTES=", "bytes", "seconds=", "bytes =", "="),
    fc.array(byteRange, { maxLength: 20 }),
    fc.constantFrom(",", ", ", " ,", ",,"),
  )
  .map(([unit, ranges, separator]) => unit + ranges.join(separator));

function listOf(values: readonly string[]): Arbitrary<string> {
  return fc.array(fc.constantFrom(...values), { maxLength: 8 }).map((list) => list.join(", "));
}

const field: Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(fc.constantFrom("Range", "range"), range),
  fc.tuple(fc.constantFrom("If-Match", "If-None-Match", "If-Range"), listOf(ETAGS)),
  fc.tuple(
    fc.constantFrom("If-Modified-Since", "If-Unmodified-Since", "If-Range"),
    fc.constantFrom(...DATES),
  ),
  fc.tuple(fc.constant("Accept-Encoding"), listOf(CODINGS)),
  fc.tuple(fc.constantFrom(...FIELD_NAMES), fc.oneof(listOf(TOKENS), visible)),
  fc.tuple(fc.oneof(visible, fc.constantFrom("X", "Host", "", "X ")), fc.oneof(visible, anyByte)),
);

const traversal = fc
  .tuple(
    fc.constantFrom("/", "/", "//", "", "\\", "/%2f"),
    fc.array(fc.constantFrom(...TRAVERSAL_PIECES), { maxLength: 8 }),
    fc.constantFrom("/", "/", "//", "%2f", "\\"),
    fc.constantFrom("", "", "?", "?/../..", "#x", "/"),
  )
  .map(([start, pieces, separator, end]) => start + pieces.join(separator) + end);

const target = fc.oneof(
  fc.constantFrom(...FILES),
  traversal,
  traversal,
  fc
    .tuple(
      fc.constantFrom(
        "https://localhost",
        "http://localhost",
        "https://evil.test",
        "file://",
        "https:",
      ),
      traversal,
    )
    .map((parts) => parts.join("")),
  visible,
  fc.constantFrom("*", "localhost:443", `/${"a".repeat(5000)}`, `/${"a/".repeat(2000)}`, "/\xe9"),
);

const host: Arbitrary<Fields> = fc
  .array(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2, size: "max" })
  .chain((hosts) => fc.constantFrom(hosts.slice(0, 1), hosts.slice(0, 1), hosts, []))
  .map((hosts) => hosts.map((name) => ["Host", name] as const));

/** Heads that are complete, whatever else is wrong with them; a third asks for a file as a browser might. */
export const hostileHead: Arbitrary<HostileHead> = fc.oneof(
  fc.record({
    method: fc.constantFrom("GET", "GET", "HEAD"),
    target: fc.constantFrom(...FILES),
    version: fc.constant("HTTP/1.1"),
    fields: fc
      .array(field, { maxLength: 4 })
      .map((fields): Fields => [["Host", "localhost"], ...fields]),
  }),
  fc.record({
    method: fc.constantFrom("GET", "HEAD"),
    target: traversal,
    version: fc.constant("HTTP/1.1"),
    fields: fc.constant([["Host", "localhost"] as const]),
  }),
  fc.record({
    method: fc.oneof(fc.constantFrom(...METHODS), visible),
    target,
    version: fc.oneof(fc.constantFrom(...VERSIONS), visible),
    fields: fc
      .tuple(host, fc.array(field, { maxLength: 6 }))
      .map(([hosts, fields]): Fields => [...hosts, ...fields]),
  }),
);

type Mutation = (head: string, at: number, byte: number) => string;

const MUTATIONS: readonly Mutation[] = [
  (head, at, byte) => head.slice(0, at) + toCharacter(byte) + head.slice(at + 1),
  (head, at, byte) => head.slice(0, at) + toCharacter(byte) + head.slice(at),
  (head, at) => head.slice(0, at) + head.slice(at + 1),
  (head, at) => `${head.slice(0, at)}\r\n${head.slice(at)}`,
  (head, at) => `${head.slice(0, at)}\n${head.slice(at)}`,
  (head, at) => `${head.slice(0, at)}\r\n\r\n${head.slice(at)}`,
  (head, at) => `${head.slice(0, at)}\0${head.slice(at)}`,
  (head, at) => head.slice(0, at),
  (head, at) => head + head.slice(at),
  (head, _at, byte) => head.replace("\r\n", `\r\nContent-Length: ${byte}\r\n`),
  (head) => head.replace("\r\n", "\r\nTransfer-Encoding: chunked\r\n"),
  (head, at) => head.replace("\r\n", `\r\nX: ${"a".repeat(at * 20)}\r\n`),
  (head, at) => head.replace("\r\n", `\r\n${"X: 1\r\n".repeat(at)}`),
  (head) => head.replaceAll("\r\n", "\n"),
  (head) => head.replace(/[\r\n]+$/, "\r\n \r\n\r\n"),
];

/** Heads damaged in one to three places; they may be incomplete, or more than one. */
export const damagedHead: Arbitrary<Buffer> = fc
  .tuple(
    hostileHead,
    fc.array(
      fc.tuple(
        fc.constantFrom(...MUTATIONS),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(255),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([head, mutations]) => {
    const damaged = mutations.reduce(
      (text, [mutate, where, byte]) => mutate(text, Math.floor(where * text.length), byte),
      headText(head),
    );
    return Buffer.from(damaged, "latin1");
  });

/** Returns the bytes of a head. */
export function headBytes(head: HostileHead): Buffer {
  return Buffer.from(headText(head), "latin1");
}

function headText({ method, target: path, version, fields }: HostileHead): string {
  const lines = fields.map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} ${version}`, ...lines, "", ""].join("\r\n");
}

function toCharacter(code: number): string {
  return String.fromCharCode(code);
}
