--- The report of a run: one page of HTML that needs nothing else.
local axis = require "lunet.report.axis"
local charts = require "lunet.report.charts"
local diagram = require "lunet.report.diagram"
local diagram_style = require "lunet.report.diagram_style"
local markup = require "lunet.text.markup"
local diagrams = require "lunet.report.diagrams"
local tabular = require "lunet.text.table"
local style = require "lunet.report.page_style"
local timeline = require "lunet.recording.timeline"
local value = require "lunet.text.value"

local report = {}

local element, escape = markup.element, markup.escape

local MOST_ROWS <const> = 2000 -- of the timeline's table, and of each table of the outcome
local WIDE <const> = 1132 -- px: a wider diagram scrolls
local PAGE_WIDTH <const>, PAGE_HEIGHT <const> = 1030, 640 -- px of a page of paper
local TOP <const> = 130 -- px of the first page that the heading and the legend take

local function paragraph(words, class) return element("p", { class = class }, escape(words)) end

local function row(cells, of)
  local parts = {}
  for i, cell in ipairs(cells) do
    local class = type(cell) == "table" and cell.class or nil
    parts[i] = element(of or "td", { class = class }, escape(type(cell) == "table" and cell[1] or cell))
  end
  return "<tr>" .. table.concat(parts) .. "</tr>"
end

local function html_table(heading, rows)
  local head = heading and element("thead", {}, row(heading, "th")) or ""
  return element("div", { class = "scroll" }, element("table", {}, head .. element("tbody", {},
    table.concat(rows, "\n"))))
end

-- -- the top: claim, verdict, knobs, environment -----------------------------------------------

local CLASSES <const> = { ["holds"] = "verdict", ["does not hold"] = "verdict false" }

local function verdict_of(run)
  local words, more, figures = run:judgement()
  return element("p", { class = CLASSES[run.verdict] or "verdict open", id = "verdict" },
    element("strong", {}, words .. (more and ":" or ".")) .. (more and " " .. escape(more) or ""))
    .. (figures and paragraph("Figures: " .. figures) or "")
end

local function knobs_table(run)
  if #run.knobs == 0 then return "" end
  local rows = {}
  for i, k in ipairs(run.knobs) do
    rows[i] = row { k.name, { value.show(run.values[k.name]), class = "value" }, k.unit, k.meaning }
  end
  return element("h2", { class = "first" }, "Knobs") .. html_table({ "knob", "value", "unit", "meaning" }, rows)
end

local function flat_rows(rows, given, prefix)
  for _, key in ipairs(value.sorted_keys(given)) do
    if type(given[key]) == "table" then
      flat_rows(rows, given[key], "")
    else
      rows[#rows + 1] = row { prefix .. key, { tostring(given[key]), class = "value" } }
    end
  end
  return rows
end

local function environment_table(run)
  return '<details class="printed">' .. element("summary", {}, "Environment") .. html_table({ "what", "value" },
    flat_rows({}, run.environment or {}, "")) .. "</details>"
end

-- -- the diagrams ------------------------------------------------------------------------------

local LEGEND <const> = [[
<p class="legend quiet">
<span><svg width="26" height="12" class="diagram"><path class="stroke client" d="M1 6H20"/><path class="client"
 d="M25 6l-8 -3.2v6.4Z"/></svg>segment, pale if it only acknowledges</span>
<span><svg width="26" height="12" class="diagram"><path class="stroke client again" d="M1 6H25"/></svg>sent again</span>
<span><svg width="26" height="12" class="diagram"><path class="stroke bad" d="M1 6H17M15 2l8 8m0 -8l-8
 8"/></svg>lost</span>
<span><svg width="12" height="12" class="diagram"><circle class="client" cx="6" cy="6" r="3"/></svg>call returned</span>
<span><svg width="12" height="12" class="diagram"><rect class="bad" x="2.5" y="2.5" width="7" height="7"
 /></svg>call failed</span>
<span><svg width="12" height="14" class="diagram"><rect class="wait client" x="3" y="1" width="7" height="12"
 /></svg>call waited</span>
<span><svg width="12" height="12" class="diagram"><circle class="kernel stroke client" cx="6" cy="6" r="3"
 /></svg>the kernel's view</span>
<span><svg width="16" height="12" class="diagram"><rect class="depth" x="1" y="1" width="14" height="10"
 /></svg>depth of the queue</span>
<span><svg width="14" height="12" class="diagram"><path class="break" d="M2 7l10 -5m-10 9l10 -5"
 /></svg>a silence, folded, with its length</span>
</p>]]

-- Cuts a tall diagram into pieces, each with the lanes' names, since a browser would cut it anywhere.
local function pages(drawn, id, top)
  local scale = math.min(1, PAGE_WIDTH / drawn.width)
  local room, parts, from = (PAGE_HEIGHT - top) / scale - drawn.head_height, {}, 0
  while from < drawn.height and #parts < 40 do
    local to = math.min(from + room, drawn.height)
    if to < drawn.height then
      local best
      for _, cut in ipairs(drawn.cuts) do
        if cut > from + room / 2 and cut <= to then best = cut end
      end
      to = best or to
    end
    local height = to - from + drawn.head_height
    parts[#parts + 1] = element("svg", { class = "diagram", width = drawn.width, height = height,
      viewBox = ("0 0 %d %d"):format(drawn.width, math.ceil(height)), ["aria-hidden"] = "true" },
      drawn.head .. element("svg", { x = 0, y = drawn.head_height, width = drawn.width, height = to - from,
        viewBox = ("0 %d %d %d"):format(math.floor(from), drawn.width, math.ceil(to - from)) },
        element("use", { href = "#" .. id })))
    from, room = to, PAGE_HEIGHT / scale - drawn.head_height
  end
  return element("div", { class = "paper-only" }, table.concat(parts, "\n"))
end

local function frame(drawn, number)
  local id = ("diagram%d"):format(number)
  local head = element("svg", { class = "diagram head", width = drawn.width, height = drawn.head_height,
    viewBox = ("0 0 %d %d"):format(drawn.width, drawn.head_height), ["aria-hidden"] = "true" }, drawn.head)
  local body = element("svg", { class = "diagram body", width = drawn.width, height = drawn.height,
    viewBox = ("0 0 %d %d"):format(drawn.width, drawn.height) }, element("g", { id = id, class = "diagram" },
      drawn.body))
  local class = drawn.width > WIDE and "frame wide" or "frame"
  return element("div", { class = class .. " screen-only", tabindex = "0", role = "group", ["aria-label"] =
    ("Sequence diagram, %d marks. The arrow keys walk through them; the timeline below is its text."):format(
      drawn.drawn) }, head .. body) .. pages(drawn, id, number == 1 and TOP or 30)
end

local DERIVED <const> = "A pale or dashed bar is a handshake. A bracket below a bar means that the connection waits in "
  .. "the queue, and nobody has accepted it. lunet derives the states from the segments that an end sent and received, "
  .. "or, without recorded segments, from its calls. The kernel's snapshots of sockets correct them; lunet takes these "
  .. "at notes, when a deadline passes, and when a host begins and ends. Point at a bar for its times and its source."

local function chart(title, svg, left_out, remark, words)
  if not svg then return "" end
  local html = { element("h3", {}, escape(title)), element("div", { class = "scroll" }, svg) }
  if left_out > 0 then html[#html + 1] = paragraph(words:format(left_out), "quiet") end
  if remark then html[#html + 1] = paragraph(remark, "quiet") end
  return table.concat(html, "\n")
end

local function group_html(group, number, run)
  local along = charts.axis(group.drawn.axis)
  local queues, queues_left = charts.queues(group.events, run, along)
  local bars, ends_left = charts.states(group.events, run, along)
  local limits = diagram.limits(group.drawn)
  return table.concat({ frame(group.drawn, number), limits and paragraph(limits, "quiet") or "",
    chart("Queue depth over time", queues, queues_left, nil, "%d more queues are not drawn."),
    chart("Connection states over time", bars, ends_left, number == 1 and DERIVED or nil,
      "%d more ends of connections are not drawn.") }, "\n")
end

local function recorded(run)
  local parts = {}
  if run.lost > 0 then
    parts[1] = ("%d earlier events are lost: the ring holds the last ones."):format(run.lost)
  end
  for _, sentence in ipairs(run:unseen()) do parts[#parts + 1] = sentence end
  if not run.taps then
    parts[#parts + 1] = "Segments were not recorded."
  else
    parts[#parts + 1] = ("Times of segments are right to within %s."):format(axis.duration(run.taps.error))
  end
  return paragraph(table.concat(parts, " "), "quiet")
end

local function what_happened(run)
  local list, left_out = diagrams.of(run)
  local html = { "<h2>What happened</h2>", recorded(run), LEGEND }
  for i, group in ipairs(list) do
    local inner = group_html(group, i, run)
    html[#html + 1] = group.title and element("details", i == 1 and { open = "open" } or {},
      element("summary", {}, escape(group.title)) .. inner) or inner
  end
  if #list == 0 then html[#html + 1] = paragraph "Nothing was recorded: no event happened." end
  if left_out > 0 then html[#html + 1] = paragraph(("%d more groups of hosts are not drawn."):format(left_out)) end
  return table.concat(html, "\n")
end

-- -- the bottom: outcome and timeline ----------------------------------------------------------

local function outcome_table(name, list, first)
  local heading, rows, columns = {}, {}, tabular.columns(list, first)
  for j, column in ipairs(columns) do heading[j] = { column.name, class = column.is_number and "number" or nil } end
  for i = 1, math.min(#list, MOST_ROWS) do
    local cells = {}
    for j, column in ipairs(columns) do cells[j] = { column[i], class = heading[j].class } end
    rows[i] = row(cells)
  end
  local more = #list > MOST_ROWS and paragraph(("%d more rows are not shown."):format(#list - MOST_ROWS)) or ""
  return element("h3", {}, escape(name)) .. html_table(heading, rows) .. more
end

local function outcome(run)
  local rows, tables = tabular.divide(run.outcome)
  for i, key in ipairs(rows) do rows[i] = row { tostring(key), { value.show(run.outcome[key]), class = "value" } } end
  for i, key in ipairs(tables) do tables[i] = outcome_table(tostring(key), run.outcome[key], run.columns) end
  return "<h2>Outcome</h2>" .. (#rows > 0 and html_table({ "field", "value" }, rows) or "")
    .. table.concat(tables, "\n") .. (run.plot and element("pre", {}, escape(run.plot)) or "")
    .. (#rows + #tables == 0 and paragraph "The outcome is empty." or "")
end

local function timeline_row(line)
  local ms = { ("%.3f"):format(line.at * 1000), class = "number" }
  if line.note then
    return '<tr class="note">' .. element("td", { class = "number" }, ms[1])
      .. element("td", { colspan = "3" }, escape(line.note)) .. "</tr>"
  end
  return row { ms, { line.queue or "", class = "number" }, line.who or "", timeline.words(line) }
end

local function timeline_table(run)
  local lines, rows = run:rows(), {}
  local count = #lines
  for i = 1, math.min(count, MOST_ROWS) do rows[i] = timeline_row(lines[i]) end
  local more = count > MOST_ROWS and paragraph(("%d later rows are not shown."):format(count - MOST_ROWS)) or ""
  return element("h2", { id = "timeline" }, "Timeline")
    .. paragraph("The diagram as text. Queue: depth/limit where it changed, the kernel's own numbers. "
      .. "Acknowledgements of nothing but data are left out.", "quiet")
    .. element("details", count <= 200 and { open = "open" } or {}, element("summary", {}, count .. " rows")
      .. html_table({ { "ms", class = "number" }, { "queue", class = "number" }, "who", "what" }, rows) .. more)
end

--- Makes the page.
---@param run lunet.run
---@return string
function report.html(run)
  return table.concat({ '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    element("title", {}, escape(run.name .. ": " .. run.claim)),
    element("style", {}, style.css .. diagram_style), "</head>\n<body>\n<main>",
    paragraph(run.name, "name"), element("h1", { id = "claim" }, escape(run.claim)), verdict_of(run),
    knobs_table(run), environment_table(run), what_happened(run), outcome(run), timeline_table(run),
    '</main>\n<p id="detail" aria-live="polite"></p>', "<script>" .. style.script .. "</script>", "</body>\n</html>\n",
  }, "\n")
end

--- Makes the diagram alone, as SVG.
---@param run lunet.run
---@return string
function report.svg(run)
  local list, left_out = diagrams.of(run)
  local words = run:judgement() .. "."
  local more = left_out > 0 and (" %d more groups of hosts are not drawn."):format(left_out) or ""
  return diagram.svg(list, run.name .. ": " .. run.claim, ("A sequence diagram: a lane for each host and for each "
    .. "queue, time in milliseconds from top to bottom, %d recorded events. %s%s"):format(#run.events, words, more))
end

return report
