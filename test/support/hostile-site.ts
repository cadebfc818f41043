import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** What no response may contain: it stands in every file that is not to be served. */
export const MARKER = "marker-of-what-is-not-served";

/** A folder to serve, surrounded and pierced by what is not to be served. */
export interface HostileSite {
  readonly root: string;
  /** Content of plain files by their paths. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Lays out a site in `folder`: files, hidden files, and links that leave the root in every place they can. */
export function layOutHostileSite(folder: string): HostileSite {
  const root = join(folder, "root");
  const outside = join(folder, "outside");
  for (const path of [root, outside]) mkdirSync(path);
  for (const path of ["sub", ".git", "linked-index", ".well-known"]) mkdirSync(join(root, path));
  const style = "body { margin: 0 }\n".repeat(30);
  const files = new Map<string, Buffer>([
    ["/ten.txt", Buffer.from("0123456789")],
    ["/big.bin", Buffer.alloc(600_000, "abcdefghij")],
    ["/page.html", Buffer.from("<!doctype html><title>Page</title><script>1</script>")],
    ["/nothing.txt", Buffer.alloc(0)],
    ["/style.css", Buffer.from(style)],
  ]);
  for (const [path, content] of files) writeFileSync(join(root, path), content);
  writeFileSync(join(root, "index.html"), "<!doctype html><title>Index</title>");
  writeFileSync(join(root, "sub", "index.html"), "<!doctype html><title>Sub</title>");
  writeFileSync(join(root, "style.css.br"), brotliCompressSync(style));
  writeFileSync(join(root, "style.css.gz"), gzipSync(style));
  writeFileSync(join(root, "sidecar.txt"), "plain");

  const secret = join(outside, "secret.txt");
  for (const path of [secret, join(folder, "secret.txt")]) writeFileSync(path, MARKER);
  for (const path of [".env", ".git/config", ".well-known/.hidden"]) {
    writeFileSync(join(root, path), MARKER);
  }
  for (const path of ["out.txt", "linked-index/index.html", "sidecar.txt.gz", "sidecar.txt.br"]) {
    symlinkSync(secret, join(root, path));
  }
  symlinkSync(outside, join(root, "out"));
  symlinkSync("..", join(root, "up"));
  return { root, files };
}
