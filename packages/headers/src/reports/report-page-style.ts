/** The style of the page of reports; its hash is all that the page's policy admits. */
export const REPORT_PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --line: #d9dee5; --text: #1b2430; --quiet: #5a6675;
  --enforced: #b4372f; --reported: #c98a1b; --added: #1f7a3d; --added-back: #e6f4ea;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11161c; --card: #1a212a; --line: #323d49; --text: #e4e9ef; --quiet: #9aa7b5;
    --enforced: #ef7a70; --reported: #e6b45a; --added: #7fd69a; --added-back: #16301f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem;
  background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 0 0 .75rem; }
p { margin: 0 0 .75rem; max-width: 48rem; }
.quiet { color: var(--quiet); }
section {
  margin-top: 1.25rem; padding: 1.1rem 1.25rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 8px; overflow-x: auto;
}
.figures { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; margin: 1rem 0 0; }
.figures div { display: flex; flex-direction: column-reverse; }
.figures dt { color: var(--quiet); }
.figures dd { margin: 0; font-size: 1.7rem; font-variant-numeric: tabular-nums; line-height: 1.2; }
svg { display: block; width: 100%; height: auto; max-width: 60rem; }
section > svg { min-width: 34rem; }
svg text { fill: var(--quiet); font-size: 12px; }
svg line { stroke: var(--line); }
.enforced { fill: var(--enforced); }
.reported { fill: var(--reported); }
.hit { fill: transparent; }
.key { display: flex; gap: 1.5rem; margin: .5rem 0 0; padding: 0; list-style: none; color: var(--quiet); }
.key svg { display: inline-block; width: 10px; height: 10px; margin-right: .4rem; }
pre {
  margin: 0 0 .75rem; padding: .75rem 1rem; background: var(--page); border: 1px solid var(--line);
  border-radius: 6px; font: 13px/1.6 var(--mono); overflow-x: auto;
}
pre.whole { white-space: pre-wrap; overflow-wrap: anywhere; }
ins { color: var(--added); background: var(--added-back); text-decoration: none; }
code { font: 13px var(--mono); overflow-wrap: anywhere; }
table { width: 100%; min-width: 44rem; border-collapse: collapse; }
th { text-align: left; font-weight: 600; color: var(--quiet); }
th, td { padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.name { white-space: nowrap; }
td.wide { width: 40%; }
td.address { overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
td small { display: block; color: var(--quiet); overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--quiet); margin: .25rem 0; }
`;
