import { addNonce, nonceTemplate } from "@hauberk/headers";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

const NONCE = "abcdefghijklmnopqrstuvwx";

/** Marks where a nonce came in as `[n]`. */
function marked(template: string): string {
  return addNonce(template, NONCE).replaceAll(` nonce="${NONCE}"`, "[n]");
}

describe("addNonce()", () => {
  for (const [template, expected] of [
    ["<script>1</script>", "<script[n]>1</script>"],
    ["<SCRIPT\r\n src='/a.js'></SCRIPT >", "<SCRIPT[n]\r\n src='/a.js'></SCRIPT >"],
    ["<script type=module>1</script>", "<script[n] type=module>1</script>"],
    ["<script type=importmap>{}</script>", "<script[n] type=importmap>{}</script>"],
    ["<style>a{}</style>", "<style[n]>a{}</style>"],
    ["<link rel=stylesheet href=a.css>", "<link[n] rel=stylesheet href=a.css>"],
    ["<link rel='x PRELOAD' as=script href=a>", "<link[n] rel='x PRELOAD' as=script href=a>"],
    ["<link rel=modulepreload href=a.js>", "<link[n] rel=modulepreload href=a.js>"],
    ["<svg><script href=a /></svg>", "<svg><script[n] href=a /></svg>"],
    ["<template><style>a{}</style></template>", "<template><style[n]>a{}</style></template>"],
    [
      "<noscript>\r\n<style>a{}</style></noscript>",
      "<noscript>\r\n<style[n]>a{}</style></noscript>",
    ],
    ["\uFEFF<p>\u{1f600}\r\n<script>1", "\uFEFF<p>\u{1f600}\r\n<script[n]>1"],
  ] as const) {
    it(`marks ${JSON.stringify(template)}`, () => {
      expect(marked(template)).to.equal(expected);
    });
  }

  for (const template of [
    "<script type=application/json>{}</script>",
    "<link rel=icon href=a.png>",
    "<!-- <script>1</script> -->",
    "<p title='<script>1</script>'>",
    "<textarea><script>1</script></textarea>",
    "<noscript><script>1</script></noscript>",
    "<math><style>a</style></math>",
    "<script nonce='{{ nonce }}'>1</script>",
  ]) {
    it(`leaves ${JSON.stringify(template)} alone`, () => {
      expect(addNonce(template, NONCE)).to.equal(template);
    });
  }

  it("does not mistake text of a script for a tag", () => {
    expect(marked("<script>'<script>'</script><script>2</script>")).to.equal(
      "<script[n]>'<script>'</script><script[n]>2</script>",
    );
  });

  it("changes nothing but the nonces of any text", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.constantFrom(
              "<script>",
              "</script>",
              "<style>",
              "<!--",
              "<svg>",
              "\r\n",
              "<b ",
              ">",
            ),
          ),
        ),
        (parts) => {
          const template = parts.join("");
          const written = addNonce(template, NONCE);
          expect(written.replaceAll(` nonce="${NONCE}"`, "")).to.equal(template);
        },
      ),
    );
  });

  for (const nonce of ["", `"><script>`, "a b", "'nonce-x'"]) {
    it(`refuses ${JSON.stringify(nonce)} as a nonce`, () => {
      expect(() => addNonce("<script>1</script>", nonce)).to.throw(TypeError, /nonce/);
    });
  }
});

describe("nonceTemplate()", () => {
  it("returns a function that writes the page again with every nonce", () => {
    const page = nonceTemplate("<script>1</script><p>");
    expect(page("first")).to.equal(`<script nonce="first">1</script><p>`);
    expect(page("second")).to.equal(`<script nonce="second">1</script><p>`);
  });
});
