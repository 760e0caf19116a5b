--- The style of pages, on a screen and on paper.
local page_style = {}

page_style.css = [[
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1d2126; --quiet: #5b636d; --line: #d9dde2;
  --good: #23613f; --bad: #a8221b; --accent: #1f5fa8; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #15181c; --ink: #e6e8eb; --quiet: #a3abb5;
  --line: #363c44; --good: #86cfa9; --bad: #f4978f; --accent: #8ab8f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 96px; }
h1 { font-size: 27px; line-height: 1.25; margin: 4px 0 20px; max-width: 34em; text-wrap: balance; }
h2 { font-size: 18px; margin: 44px 0 12px; padding-bottom: 5px; border-bottom: 1px solid var(--line); }
h3 { font-size: 14px; margin: 24px 0 6px; }
p { max-width: 48em; margin: 8px 0; }
p.name { color: var(--quiet); margin: 0; font-family: ui-monospace, "Liberation Mono", monospace; font-size: 13px; }
p.quiet { color: var(--quiet); font-size: 13px; }
.verdict { border-left: 5px solid var(--good); padding: 6px 14px; max-width: none; }
.verdict strong { color: var(--good); }
.verdict.false { border-left-style: double; border-left-width: 8px; border-color: var(--bad); }
.verdict.false strong { color: var(--bad); }
.verdict.open { border-left-style: dashed; border-color: var(--quiet); }
.verdict.open strong { color: inherit; }
table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: 3px 16px 3px 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
thead th { border-bottom: 1.5px solid var(--quiet); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.value { font-family: ui-monospace, "Liberation Mono", monospace; font-size: 12.5px; overflow-wrap: anywhere; }
tr.note td { font-weight: 600; padding-top: 12px; }
pre { font: 12.5px/1.35 ui-monospace, "Liberation Mono", monospace; overflow-x: auto; }
h2.first { margin-top: 24px; border: 0; padding: 0; font-size: 15px; }
.scroll { overflow: auto; }
.frame > svg, .scroll > svg { display: block; }
.tips { position: absolute; }
#events td { white-space: nowrap; padding-bottom: 1px; padding-top: 1px; }
#events td:nth-child(-n+2), #events th:nth-child(-n+2) { text-align: right; font-variant-numeric: tabular-nums; }
#events td:last-child { white-space: normal; }
#events .note td, #events .gap td { text-align: left; }
#events .note td:first-child { text-align: right; }
#events .gap td { font-style: italic; color: var(--quiet); }
.filtering #events .gap { display: none; }
#events a { color: inherit; text-decoration-color: var(--quiet); text-underline-offset: 2px; }
#events a:hover, #events a:focus { color: var(--accent); }
#events tr:focus-within { background: var(--line); }
.frame .head { position: sticky; top: 0; z-index: 1; background: var(--paper); }
.frame.wide { overflow: auto; max-height: 92vh; border: 1px solid var(--line); }
.frame:focus { outline: 2px solid var(--accent); outline-offset: 4px; }
.paper-only { display: none; }
summary { cursor: pointer; font-size: 14px; font-weight: 600; padding: 6px 0; }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
#detail { position: fixed; left: 0; right: 0; bottom: 0; margin: 0; padding: 10px 24px; background: var(--paper);
  border-top: 2px solid var(--accent); white-space: pre-line; font-size: 13px; max-width: none; max-height: 30vh;
  overflow: auto; }
#detail:empty { display: none; }
.legend { max-width: none; }
.legend span { white-space: nowrap; margin-right: 18px; }
.legend svg { vertical-align: -3px; margin-right: 5px; }
@media (max-width: 1130px) { .frame { overflow: auto; max-height: 92vh; } }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  :root { --paper: #ffffff; --ink: #000000; --quiet: #444444; --line: #bbbbbb; --good: #1c5235; --bad: #8f1a14; }
  body { font-size: 11px; }
  main { padding: 0; max-width: none; }
  h1 { font-size: 20px; }
  h2, h3, summary { break-after: avoid; }
  details.printed::details-content { content-visibility: visible; height: auto; }
  tr, .chart, .legend { break-inside: avoid; }
  .screen-only, #detail { display: none; }
  .paper-only { display: block; }
  .paper-only svg, .chart { display: block; max-width: 100%; height: auto; break-inside: avoid; }
  .frame, .frame.wide { overflow: visible; max-height: none; border: 0; }
  pre { overflow: visible; white-space: pre-wrap; }
}
]]

return page_style
