import { createHash } from "node:crypto";
import { inlineHashes } from "@hauberk/headers";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

function sha(text: string, algorithm = "sha256"): string {
  return `${algorithm}-${createHash(algorithm).update(text).digest("base64")}`;
}

function scripts(page: string | Uint8Array): readonly string[] {
  return inlineHashes(page).scripts;
}

function styles(page: string | Uint8Array): readonly string[] {
  return inlineHashes(page).styles;
}

function escaped(page: string): string {
  return page.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
}

describe("inlineHashes()", () => {
  it("hashes an inline script by its text", () => {
    // Google's and MDN's documentation of CSP hash the same text to the same value.
    expect(scripts("<script>alert('Hello, world.');</script>")).to.deep.equal([
      "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=",
    ]);
  });

  it("hashes inline styles apart from scripts", () => {
    expect(inlineHashes("<style>p{color:red}</style><script>1</script>")).to.deep.equal({
      scripts: [sha("1")],
      styles: [sha("p{color:red}")],
    });
  });

  it("names a repeated text once, in the order of the page", () => {
    const page = "<script>2</script><script>1</script><script>2</script>";
    expect(scripts(page)).to.deep.equal([sha("2"), sha("1")]);
  });

  it("hashes CRLF and CR as LF, as browsers read them", () => {
    expect(scripts("<script>a\r\nb\rc\n</script>")).to.deep.equal([sha("a\nb\nc\n")]);
    expect(styles("<style>\r\na{}\r\n</style>")).to.deep.equal([sha("\na{}\n")]);
  });

  it("hashes NUL as U+FFFD, as browsers read it", () => {
    expect(scripts("<script>'a\0b'</script>")).to.deep.equal([sha("'a\uFFFDb'")]);
  });

  it("hashes the UTF-8 of text outside ASCII, and of a lone surrogate as U+FFFD", () => {
    expect(scripts("<script>'é☃😀\uD800'</script>")).to.deep.equal([sha("'é☃😀\uFFFD'")]);
  });

  it("leaves character references in a script alone", () => {
    expect(scripts("<script>a &lt; b</script>")).to.deep.equal([sha("a &lt; b")]);
  });

  for (const tag of [
    "<script>",
    "<SCRIPT>",
    "<script type=module>",
    "<script type='text/javascript'>",
    '<script type="Application/JavaScript">',
    "<script type=importmap>",
    "<script type=speculationrules>",
    "<script type=''>",
    "<script type='' language=vbscript>",
    "<script language=JavaScript>",
    "<script language=javascript1.2>",
    "<script async data-src='x.js' id=src>",
    "<script\n\ttype =\n'module' >",
    "<script nomodule>",
  ]) {
    it(`hashes ${JSON.stringify(tag)}, which runs`, () => {
      expect(scripts(`${tag}{}</script >`)).to.deep.equal([sha("{}")]);
    });
  }

  for (const tag of [
    "<script type=application/json>",
    "<script type='application/ld+json'>",
    "<script type='text/javascript; charset=utf-8'>",
    "<script type=text/template>",
    "<script type=' '>",
    "<script language=vbscript>",
    "<script src=x.js>",
    "<script src>",
    "<textarea><script>",
    "<title><script>",
    "<!--<script>",
    "<noscript><script>",
    "<xmp><script>",
    "<math><script>",
    "<p title='<script>'",
  ]) {
    it(`does not hash ${JSON.stringify(tag)}, which does not run`, () => {
      expect(scripts(`${tag}{}</script>`)).to.deep.equal([]);
    });
  }

  it("does not hash an empty script, and does hash an empty style", () => {
    expect(inlineHashes("<script></script><style></style>")).to.deep.equal({
      scripts: [],
      styles: [sha("")],
    });
  });

  it("ends a script where a browser ends it", () => {
    expect(scripts("<script>'<!--<script></script>'//--></script>x</script>")).to.deep.equal([
      sha("'<!--<script></script>'//-->"),
    ]);
    expect(scripts("<script>'</script/x>'</script>")).to.deep.equal([sha("'")]);
    expect(scripts("<script>'</scripture>'</script>")).to.deep.equal([sha("'</scripture>'")]);
  });

  it("hashes an unclosed script up to the end of the page", () => {
    expect(scripts("<p><script>1")).to.deep.equal([sha("1")]);
  });

  it("hashes the scripts and styles of a template, which run once they are cloned", () => {
    const page =
      "<template><script>1</script><template><style>a{}</style></template></template>" +
      "<div><template shadowrootmode=open><style>b{}</style></template></div>";
    expect(inlineHashes(page)).to.deep.equal({
      scripts: [sha("1")],
      styles: [sha("a{}"), sha("b{}")],
    });
  });

  it("hashes the styles of noscript, not its scripts", () => {
    const page = "<head><noscript><style>a{}</style><script>1</script></noscript></head>";
    expect(inlineHashes(page)).to.deep.equal({ scripts: [], styles: [sha("a{}")] });
  });

  it("hashes the decoded text of SVG scripts and styles", () => {
    const page = "<svg><script>1 &lt; 2</script><style><![CDATA[a>b{}]]></style></svg>";
    expect(inlineHashes(page)).to.deep.equal({ scripts: [sha("1 < 2")], styles: [sha("a>b{}")] });
  });

  it("does not hash the text of an SVG script that has an address", () => {
    expect(scripts("<svg><script xlink:href=a.js>1</script></svg>")).to.deep.equal([]);
    expect(scripts("<svg><script href=a.js>1</script></svg>")).to.deep.equal([]);
  });

  it("hashes the scripts of srcdoc frames, which inherit the policy, four pages deep", () => {
    expect(scripts(`<iframe srcdoc="<script>1 &amp;lt; 2</script>">`)).to.deep.equal([
      sha("1 &lt; 2"),
    ]);
    const nested = (depth: number): string =>
      depth === 0 ? "<script>1</script>" : `<iframe srcdoc="${escaped(nested(depth - 1))}">`;
    expect(scripts(nested(4))).to.deep.equal([sha("1")]);
    expect(scripts(nested(5))).to.deep.equal([]);
  });

  it("takes over the integrity of external scripts, all of its hashes", () => {
    const [first, second] = [sha("1", "sha384"), sha("1", "sha512")];
    expect(
      scripts(`<script src=a.js integrity="${first}\n  ${second}?option md5-x"></script>`),
    ).to.deep.equal([first, second]);
    expect(scripts(`<script src=a.js integrity=${sha("1").replace("sha", "SHA")}>`)).to.deep.equal([
      sha("1"),
    ]);
  });

  it("ignores an integrity that is no digest", () => {
    expect(scripts('<script src=a.js integrity="sha256-abc \' *"></script>')).to.deep.equal([]);
  });

  it("takes over the integrity of preloaded scripts, not of styles", () => {
    const [module, preload, style] = [sha("1"), sha("2"), sha("3")];
    expect(
      inlineHashes(
        `<link rel=modulepreload href=a.js integrity=${module}>` +
          `<link rel="x Preload" as=script href=b.js integrity=${preload}>` +
          `<link rel=stylesheet href=c.css integrity=${style}>`,
      ),
    ).to.deep.equal({ scripts: [module, preload], styles: [] });
  });

  it("takes over the integrity that an import map states for modules", () => {
    const map = JSON.stringify({ imports: {}, integrity: { "/a.js": sha("1"), "/b.js": 1 } });
    expect(scripts(`<script type=importmap>${map}</script>`)).to.deep.equal([sha(map), sha("1")]);
  });

  for (const map of ["{", "null", "[]", '{"integrity":null}', '{"integrity":"sha256-x"}']) {
    it(`survives the import map ${map}`, () => {
      expect(scripts(`<script type=importmap>${map}</script>`)).to.deep.equal([sha(map)]);
    });
  }

  it("reads bytes as UTF-8, without the byte order mark", () => {
    const bytes = Buffer.from("\uFEFF<script>'é'</script>");
    expect(scripts(bytes)).to.deep.equal([sha("'é'")]);
    expect(scripts(Buffer.from("<script>'é'</script>"))).to.deep.equal([sha("'é'")]);
  });

  it("reads bytes as UTF-16 when their byte order mark says so", () => {
    const little = Buffer.from("\uFEFF<script>'é'</script>", "utf16le");
    expect(scripts(little)).to.deep.equal([sha("'é'")]);
    expect(scripts(Buffer.from(little).swap16())).to.deep.equal([sha("'é'")]);
  });

  it("reads a page of 200,000 elements, beside or within each other", () => {
    for (const page of ["<br>".repeat(200_000), "<div>".repeat(200_000)]) {
      expect(scripts(`${page}<script>1</script>`)).to.deep.equal([sha("1")]);
    }
  }).timeout(10_000);

  it("finds the text of any script between any other elements", () => {
    const piece = fc.constantFrom(
      "<p>",
      "<!-- x -->",
      "</div>",
      "text",
      "<svg>",
      "</svg>",
      "<table>",
    );
    const text = fc.string({ minLength: 1 }).filter((value) => !/<[/!s]|[\r\0]/i.test(value));
    fc.assert(
      fc.property(fc.array(piece), text, (pieces, content) => {
        const page = `<script>${content}</script>${pieces.join("")}`;
        expect(scripts(page)).to.deep.equal([sha(content)]);
      }),
    );
  });

  it("returns digests alone for any page at all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (page, integrity) => {
        const found = inlineHashes(
          `${page}<script src=x integrity="${integrity}"></script>${page}`,
        );
        const digest = /^sha(?:256-[\w+/-]{43}=?|384-[\w+/-]{64}|512-[\w+/-]{86}(?:==)?)$/;
        for (const hash of [...found.scripts, ...found.styles]) expect(hash).to.match(digest);
      }),
    );
  });
});

describe("inlineHashes() with attributes", () => {
  function attributes(page: string): { handlers: readonly string[]; styles: readonly string[] } {
    const { handlers = [], styleAttributes = [] } = inlineHashes(page, { attributes: true });
    return { handlers, styles: styleAttributes };
  }

  it("hashes handlers and style attributes as scripts see them, references decoded", () => {
    const page = `<p onclick="a(&quot;b&quot;)" style='color:red'>\r\n<b onclick="x\r\ny">`;
    expect(attributes(page)).to.deep.equal({
      handlers: [sha('a("b")'), sha("x\ny")],
      styles: [sha("color:red")],
    });
  });

  it("finds them in templates, SVG, MathML, srcdoc frames and noscript", () => {
    const frame = escaped(`<p onclick="frame()">`);
    const page =
      `<template><p onclick="template()"></template><svg onload="svg()"></svg>` +
      `<math onclick="math()"></math><iframe srcdoc="${frame}"></iframe>` +
      `<noscript><p style="color:red"></noscript>`;
    expect(attributes(page)).to.deep.equal({
      handlers: ["template()", "svg()", "math()", "frame()"].map((text) => sha(text)),
      styles: [sha("color:red")],
    });
  });

  it("leaves attributes alone unless asked", () => {
    expect(inlineHashes(`<p onclick="a()" style="color:red">`)).to.deep.equal({
      scripts: [],
      styles: [],
    });
  });

  it("refuses an unknown option", () => {
    const misspelt = { attribute: true } as object;
    expect(() => inlineHashes("", misspelt)).to.throw(TypeError, /attributes/);
  });
});
