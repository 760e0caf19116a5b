--- The style of diagrams, charts and plots, in light and in dark. The colours are literal, since some programs know no
--- variables in an SVG. Colour alone tells nothing: a lost segment ends in a cross, a failed call is a square. A
--- page has thousands of elements, so each has as few attributes as possible: its style depends on its group.
local diagram_style = {}

--- The heads of arrows, once for all diagrams of a page or file.
diagram_style.tips = (function()
  local markers = {}
  for i, class in ipairs { "client", "server", "bad" } do
    markers[i] = ('<marker id="tip-%s" class="%s" viewBox="0 0 8 6.4" refX="8" refY="3.2" markerWidth="8" '
      .. 'markerHeight="6.4" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 3.2L0 6.4z"/></marker>'):format(
        class, class)
  end
  return "<defs>" .. table.concat(markers) .. "</defs>"
end)()

diagram_style.css = [[
.diagram { font: 11px "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; }
.diagram text { fill: #1d2126; stroke: none; }
.diagram .end, .diagram .times text { text-anchor: end; }
.diagram .middle { text-anchor: middle; }
.diagram .paper { fill: #ffffff; stroke: none; }
.diagram .words text, .diagram .events text { paint-order: stroke; stroke: #ffffff; stroke-width: 3px;
  stroke-linejoin: round; }
.diagram .name { font-weight: 600; font-size: 13px; }
.diagram .quiet, .diagram .times text, .diagram .kernel text { fill: #5b636d; }
.diagram .lane { stroke: #8d96a1; fill: none; }
.diagram .folded { stroke: #8d96a1; stroke-dasharray: 1 4; fill: none; }
.diagram .break { stroke: #5b636d; stroke-width: 1; fill: none; }
.diagram .tick { stroke: #8d96a1; fill: none; }
.diagram .grid { stroke: #e4e7eb; fill: none; }
.diagram .fold { font-style: italic; fill: #5b636d; }
.diagram .start { font-weight: 600; }
.diagram .times .start { fill: #1d2126; }
.diagram .client { stroke: #1f5fa8; fill: #1f5fa8; }
.diagram .server { stroke: #2b6b4c; fill: #2b6b4c; }
.diagram .bad { stroke: #b3261e; fill: #b3261e; }
.diagram .words .bad, .diagram .bad text { fill: #b3261e; }
.diagram marker path { stroke: none; }
.diagram .segments path { fill: none; stroke-width: 1.2; }
.diagram .segments .client path { marker-end: url(#tip-client); }
.diagram .segments .server path { marker-end: url(#tip-server); }
.diagram .segments .bad path { marker-end: url(#tip-bad); }
.diagram .segments .lost path, .diagram .segments path.leader { marker-end: none; }
.diagram .minor { opacity: 0.6; }
.diagram .again path { stroke-dasharray: 5 3; }
.diagram .marks .leader { stroke: #8d96a1; stroke-width: 0.7; stroke-dasharray: none; fill: none; }
.diagram .waits path { fill: #d5e3f3; stroke: #1f5fa8; stroke-width: 0.6; }
.diagram .waits .server { fill: #d6eadf; stroke: #2b6b4c; }
.diagram .events circle, .diagram .events path { stroke-width: 1.2; }
.diagram .kernel circle { fill: #ffffff; }
.diagram .queues path { fill: #f0d9a4; stroke: #7a5200; stroke-width: 0.6; }
.diagram .limit { stroke: #7a5200; stroke-dasharray: 6 3; fill: none; stroke-width: 1.2; }
.diagram .steps { stroke: #7a5200; fill: none; stroke-width: 1.5; }
.diagram .note text { font-size: 12.5px; font-weight: 600; }
.diagram .gap text { font-style: italic; font-weight: 400; }
.diagram .note path { stroke: #1d2126; stroke-width: 2; fill: none; }
.diagram .gap path { stroke-dasharray: 2 3; }
.diagram .marks g:focus { outline: none; }
.diagram .marks g:focus path, .diagram .marks g:target path, .diagram .marks g:hover path { stroke-width: 3; }
.diagram .marks g:focus circle, .diagram .marks g:target circle { stroke-width: 5; }
.diagram .marks g:focus .leader, .diagram .marks g:target .leader, .diagram .marks g:hover .leader {
  stroke-width: 1.4; }
.diagram .marks g:focus text, .diagram .marks g:target text, .diagram .marks g:hover text {
  text-decoration: underline; }
.diagram .spell { stroke: #47505a; stroke-width: 0.8; }
.diagram .handshake { fill: #ffffff; stroke-dasharray: 2 2; }
.diagram .open { fill: #cfe0f2; }
.diagram .half { fill: #f3dfae; }
.diagram .closing { fill: #e3e6ea; }
.diagram .queued { stroke: #7a5200; stroke-width: 1.4; fill: none; }
.diagram .bar { fill: #cfe0f2; stroke: #1f5fa8; }
.diagram .curve { fill: none; stroke: #1f5fa8; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.diagram .look2, .diagram .look6 { stroke: #a34a00; }
.diagram .look3, .diagram .look7 { stroke: #2b6b4c; }
.diagram .look4, .diagram .look8 { stroke: #6b4a9c; }
.diagram .look2 { stroke-dasharray: 8 5; }
.diagram .look3 { stroke-dasharray: 2 5; }
.diagram .look4 { stroke-dasharray: 10 5 2 5; }
.diagram .look5 { stroke-dasharray: 2 5 2 9; }
.diagram .look6 { stroke-dasharray: 14 6; }
.diagram .look7 { stroke-dasharray: 10 5 2 5 2 5; }
.diagram .look8 { stroke-dasharray: 4 8; }
@media screen and (prefers-color-scheme: dark) {
.diagram text, .diagram .times .start { fill: #e6e8eb; }
.diagram .paper { fill: #15181c; }
.diagram .words text, .diagram .events text { stroke: #15181c; }
.diagram .quiet, .diagram .words .quiet, .diagram .fold, .diagram .times text, .diagram .kernel text { fill: #a3abb5; }
.diagram .lane, .diagram .folded, .diagram .tick, .diagram .marks .leader { stroke: #6c7682; }
.diagram .break { stroke: #a3abb5; }
.diagram .grid { stroke: #2a2f36; }
.diagram .client { stroke: #8ab8f0; fill: #8ab8f0; }
.diagram .server { stroke: #86cfa9; fill: #86cfa9; }
.diagram .bad { stroke: #f4978f; fill: #f4978f; }
.diagram .words .bad, .diagram .bad text { fill: #f4978f; }
.diagram .waits path { fill: #22364c; stroke: #8ab8f0; }
.diagram .waits .server { fill: #1f3a2d; stroke: #86cfa9; }
.diagram .kernel circle { fill: #15181c; }
.diagram .queues path { fill: #54421a; stroke: #e2b95e; }
.diagram .limit, .diagram .steps, .diagram .queued { stroke: #e2b95e; }
.diagram .note path { stroke: #e6e8eb; }
.diagram .spell { stroke: #a3abb5; }
.diagram .handshake { fill: #15181c; }
.diagram .open { fill: #274563; }
.diagram .half { fill: #54421a; }
.diagram .closing { fill: #33383f; }
.diagram .queued { fill: none; }
.diagram .bar { fill: #274563; stroke: #8ab8f0; }
.diagram .curve { stroke: #8ab8f0; }
.diagram .look2, .diagram .look6 { stroke: #f0ab6b; }
.diagram .look3, .diagram .look7 { stroke: #86cfa9; }
.diagram .look4, .diagram .look8 { stroke: #c3a8ec; }
}
@media print {
.diagram .marks g:focus text, .diagram .marks g:target text { text-decoration: none; }
}
]]

return diagram_style
