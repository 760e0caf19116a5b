--- The style of diagrams and charts, in light and in dark. The colours are literal, since some programs that open an
--- SVG know no variables. Colour alone tells nothing: a lost segment ends in a cross, a failed call is a square.
return [[
.diagram { font: 11px "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; }
.diagram text { fill: #1d2126; }
.diagram .paper { fill: #ffffff; }
.diagram .words text { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round; }
.diagram .name { font-weight: 600; font-size: 13px; }
.diagram .quiet, .diagram .words .quiet { fill: #5b636d; }
.diagram .lane { stroke: #8d96a1; fill: none; }
.diagram .folded { stroke: #8d96a1; stroke-dasharray: 1 4; fill: none; }
.diagram .break { stroke: #5b636d; stroke-width: 1; fill: none; }
.diagram .tick { stroke: #8d96a1; fill: none; }
.diagram .grid { stroke: #e4e7eb; fill: none; }
.diagram .fold { font-style: italic; fill: #5b636d; }
.diagram .start { font-weight: 600; }
.diagram .client { stroke: #1f5fa8; fill: #1f5fa8; }
.diagram .server { stroke: #2b6b4c; fill: #2b6b4c; }
.diagram .bad { stroke: #b3261e; fill: #b3261e; }
.diagram .words .bad { fill: #b3261e; }
.diagram line, .diagram .stroke { fill: none; stroke-width: 1.2; }
.diagram .minor { opacity: 0.6; }
.diagram .again { stroke-dasharray: 5 3; }
.diagram .leader { stroke: #8d96a1; stroke-width: 0.7; fill: none; }
.diagram .wait { fill: #d5e3f3; stroke: #1f5fa8; stroke-width: 0.6; }
.diagram .wait.server { fill: #d6eadf; stroke: #2b6b4c; }
.diagram .kernel { fill: #ffffff; }
.diagram .depth { fill: #f0d9a4; stroke: #7a5200; stroke-width: 0.6; }
.diagram .limit { stroke: #7a5200; stroke-dasharray: 6 3; fill: none; stroke-width: 1.2; }
.diagram .steps { stroke: #7a5200; fill: none; stroke-width: 1.5; }
.diagram .note text { font-size: 12.5px; font-weight: 600; }
.diagram .note path { stroke: #1d2126; stroke-width: 2; fill: none; }
.diagram .mark:focus { outline: none; }
.diagram .mark:focus .stroke, .diagram .mark:focus circle, .diagram .mark:focus rect,
.diagram .mark:hover .stroke { stroke-width: 3; }
.diagram .mark:focus text, .diagram .mark:hover text { text-decoration: underline; }
.diagram .spell { stroke: #47505a; stroke-width: 0.8; }
.diagram .handshake { fill: #ffffff; stroke-dasharray: 2 2; }
.diagram .open { fill: #cfe0f2; }
.diagram .half { fill: #f3dfae; }
.diagram .closing { fill: #e3e6ea; }
.diagram .queued { stroke: #7a5200; stroke-width: 1.4; fill: none; }
@media (prefers-color-scheme: dark) {
.diagram text { fill: #e6e8eb; }
.diagram .paper { fill: #15181c; }
.diagram .words text { stroke: #15181c; }
.diagram .quiet, .diagram .words .quiet, .diagram .fold { fill: #a3abb5; }
.diagram .lane, .diagram .folded, .diagram .tick, .diagram .leader { stroke: #6c7682; }
.diagram .break { stroke: #a3abb5; }
.diagram .grid { stroke: #2a2f36; }
.diagram .client { stroke: #8ab8f0; fill: #8ab8f0; }
.diagram .server { stroke: #86cfa9; fill: #86cfa9; }
.diagram .bad { stroke: #f4978f; fill: #f4978f; }
.diagram .words .bad { fill: #f4978f; }
.diagram .wait { fill: #22364c; stroke: #8ab8f0; }
.diagram .wait.server { fill: #1f3a2d; stroke: #86cfa9; }
.diagram .kernel { fill: #15181c; }
.diagram .depth { fill: #54421a; stroke: #e2b95e; }
.diagram .limit, .diagram .steps, .diagram .queued { stroke: #e2b95e; }
.diagram .note path { stroke: #e6e8eb; }
.diagram .spell { stroke: #a3abb5; }
.diagram .handshake { fill: #15181c; }
.diagram .open { fill: #274563; }
.diagram .half { fill: #54421a; }
.diagram .closing { fill: #33383f; }
.diagram .queued { fill: none; }
}
@media print {
.diagram .mark:focus text { text-decoration: none; }
}
]]
