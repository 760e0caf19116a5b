--- The diagrams of a run on its page, with charts below each: the first one is open, the others are folded.
local axis = require "lunet.report.axis"
local charts = require "lunet.report.charts"
local diagram = require "lunet.report.diagram"
local diagram_style = require "lunet.report.diagram_style"
local diagrams = require "lunet.report.diagrams"
local html = require "lunet.report.html"
local markup = require "lunet.text.markup"
local summary = require "lunet.report.summary"

local page_diagrams = {}

local element, escape, paragraph = markup.element, markup.escape, html.paragraph

local WIDE <const> = 1132 -- px: a wider diagram scrolls
local PAGE_WIDTH <const>, PAGE_HEIGHT <const> = 1030, 640 -- px of a page of paper
local TOP <const> = 130 -- px of the first page that the heading and the legend take
local MOST_PIECES <const> = 40 -- of a diagram on paper
local QUEUES <const>, ENDS <const> = 24, 120 -- in the charts of all groups together
local LEAST_ENDS <const> = 6 -- in the charts of a group
local LISTED <const> = 100 -- groups without a diagram that have a line

-- -- diagrams ----------------------------------------------------------------------------------

local function sign(width, content, words)
  return ('<span><svg width="%d" height="12" class="diagram">%s</svg>%s</span>'):format(width, content, words)
end

local LEGEND <const> = element("p", { class = "legend quiet" }, table.concat({
  sign(26, '<g class="segments"><g class="client"><path d="M1 6H25"/></g></g>',
    "segment, pale if it only acknowledges"),
  sign(26, '<g class="segments"><g class="client again"><path d="M1 6H25"/></g></g>', "sent again"),
  sign(26, '<g class="segments"><g class="bad lost"><path d="M1 6H17M15 2l8 8m0-8l-8 8"/></g></g>', "lost"),
  sign(12, '<g class="events"><g class="client"><circle cx="6" cy="6" r="3"/></g></g>', "call returned"),
  sign(12, '<g class="events"><g class="bad"><path d="M2 2h7v7h-7z"/></g></g>', "call failed"),
  sign(12, '<g class="waits"><path class="client" d="M3 0h7v12h-7z"/></g>', "call waited"),
  sign(12, '<g class="events"><g class="client kernel"><circle cx="6" cy="6" r="3"/></g></g>', "the kernel's view"),
  sign(16, '<g class="queues"><path d="M1 1h14v10h-14z"/></g>', "depth of the queue"),
  sign(14, '<path class="break" d="M2 7l10-5m-10 9l10-5"/>', "a silence, folded, with its length"),
}, "\n"))

-- The parts of a tall diagram that each fit on a page.
local function pieces_of(drawn, top)
  local scale = math.min(1, PAGE_WIDTH / drawn.width)
  local room, pieces, from = (PAGE_HEIGHT - top) / scale - drawn.head_height, {}, 0
  while from < drawn.height and #pieces < MOST_PIECES do
    local to = math.min(from + room, drawn.height)
    if to < drawn.height then
      local best
      for _, cut in ipairs(drawn.cuts) do
        if cut > from + room / 2 and cut <= to then best = cut end
      end
      to = best or to
    end
    pieces[#pieces + 1] = { from = math.floor(from), height = math.ceil(to - from) }
    from, room = to, PAGE_HEIGHT / scale - drawn.head_height
  end
  return pieces
end

-- Cuts a tall diagram into pieces, each with the lanes' names, since a browser would cut it anywhere.
local function pages(drawn, number, top)
  local parts = {}
  for i, piece in ipairs(pieces_of(drawn, top)) do
    parts[i] = element("svg", { class = "diagram", width = drawn.width, height = piece.height + drawn.head_height,
      viewBox = ("0 0 %d %d"):format(drawn.width, piece.height + drawn.head_height), ["aria-hidden"] = "true" },
      element("use", { href = "#head" .. number }) .. element("svg", { y = drawn.head_height, width = drawn.width,
        height = piece.height, viewBox = ("0 %d %d %d"):format(piece.from, drawn.width, piece.height) },
        element("use", { href = "#diagram" .. number })))
  end
  return element("div", { class = "paper-only" }, table.concat(parts, "\n"))
end

local function frame(drawn, number)
  local head = element("svg", { class = "diagram head", width = drawn.width, height = drawn.head_height,
    ["aria-hidden"] = "true" }, element("g", { id = "head" .. number, class = "diagram" }, drawn.head))
  local body = element("svg", { class = "diagram body", width = drawn.width, height = drawn.height },
    element("g", { id = "diagram" .. number, class = "diagram" }, drawn.body))
  local class = drawn.width > WIDE and "frame wide" or "frame"
  return element("div", { class = class .. " screen-only", tabindex = "0", role = "group", ["aria-label"] =
    ("Sequence diagram. The arrow keys walk through its %d marks, and Enter goes to the row of a mark."):format(
      drawn.drawn) }, head .. body) .. pages(drawn, number, number == 1 and TOP or 30)
end

-- -- charts ------------------------------------------------------------------------------------

local DERIVED <const> = "A pale or dashed bar is a handshake. A bracket below a bar means that the connection waits in "
  .. "the queue, and nobody has accepted it. lunet derives the states from the segments that an end sent and received, "
  .. "or, without recorded segments, from its calls. The kernel's snapshots of sockets correct them; lunet takes these "
  .. "at notes, when a deadline passes, and when a host begins and ends. Point at a bar for its times and its source."

local function chart(title, svg, left_out, remark, words)
  if not svg then return "" end
  local parts = { element("h3", {}, escape(title)), element("div", { class = "scroll" }, svg) }
  if left_out > 0 then parts[#parts + 1] = paragraph(words:format(left_out), "quiet") end
  if remark then parts[#parts + 1] = paragraph(remark, "quiet") end
  return table.concat(parts, "\n")
end

local function charts_html(group, is_first, count, run)
  local along = charts.axis(group.events)
  local queues, queues_left = charts.queues(group.events, run, along,
    math.min(charts.MOST_QUEUES, math.max(QUEUES // count, 1)))
  local bars, ends_left = charts.states(group.events, run, along,
    math.min(charts.MOST_ENDS, math.max(ENDS // count, LEAST_ENDS)))
  return chart("Queue depth over time", queues, queues_left, nil, "%d more queues are not drawn.")
    .. chart("Connection states over time", bars, ends_left, is_first and DERIVED or nil,
      "%d more ends of connections are not drawn.")
end

--- Makes the charts of all groups; a remark stands for those that have no room.
---@param run lunet.run
---@param room integer bytes
---@return string[] markup of each group
function page_diagrams.charts(run, room)
  local list, made = run:groups(), {}
  for i = 1, math.min(#list, diagrams.MOST) do
    local drawn = charts_html(list[i], i == 1, #list, run)
    if #drawn > room then drawn = paragraph("The charts of this group are not drawn.", "quiet") end
    made[i], room = drawn, math.max(room - #drawn, 0)
  end
  return made
end

-- -- all of it ---------------------------------------------------------------------------------

local function recorded(run)
  local parts = {}
  if run.lost > 0 then
    parts[1] = ("%d earlier events are lost: the ring holds the last ones."):format(run.lost)
  end
  for _, sentences in ipairs { run:unseen(), run:wire_warnings(), run:seeds() } do
    table.move(sentences, 1, #sentences, #parts + 1, parts)
  end
  if not run.taps then
    parts[#parts + 1] = "Segments were not recorded."
  else
    parts[#parts + 1] = ("Times of segments are right to within %s."):format(axis.duration(run.taps.error))
  end
  return paragraph(table.concat(parts, " "), "quiet")
end

local function group_html(group, number, chart_html)
  local limits = diagram.limits(group.drawn)
  return frame(group.drawn, number) .. (limits and paragraph(limits, "quiet") or "") .. "\n" .. chart_html
end

-- The groups without a diagram.
local function others_html(run, drawn, told)
  local list, lines = run:groups(), {}
  if #list == 0 then return paragraph "Nothing was recorded: no event happened." end
  for i = drawn + 1, math.min(#list, drawn + LISTED) do
    local title = diagrams.title(run, i)
    lines[#lines + 1] = element("li", {}, escape((title and title .. " · " or "") .. summary.of(list[i], told)))
  end
  if #lines == 0 then return "" end
  return element("details", {}, element("summary", {}, ("%d more groups of hosts are not drawn"):format(#list - drawn))
    .. element("ul", {}, table.concat(lines, "\n")))
end

--- Makes the diagrams with their charts.
---@param run lunet.run
---@param list lunet.group_drawn[]
---@param chart_of string[] markup of each group, from page_diagrams.charts
---@return string markup
function page_diagrams.html(run, list, chart_of)
  local parts, told = { "<h2>What happened</h2>", recorded(run),
    ('<svg width="0" height="0" class="diagram tips">%s</svg>'):format(diagram_style.tips), LEGEND }, {}
  for i, group in ipairs(list) do
    local inner = group_html(group, i, chart_of[i] or "")
    local words = group.title and group.title .. " · " .. summary.of(group.group, told)
    parts[#parts + 1] = words and element("details", i == 1 and { open = "open" } or {},
      element("summary", {}, escape(words)) .. inner) or inner
  end
  parts[#parts + 1] = others_html(run, #list, told)
  return table.concat(parts, "\n")
end

return page_diagrams
