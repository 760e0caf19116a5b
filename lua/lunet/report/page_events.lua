--- The events of a run as a table, below its diagrams: each row links to the place of its event in a diagram.
local filter = require "lunet.report.filter"
local html = require "lunet.report.html"
local markup = require "lunet.text.markup"
local timeline = require "lunet.recording.timeline"

local page_events = {}

local element, escape = markup.element, markup.escape

local OPEN <const> = 200 -- rows: longer tables are folded

-- HTML needs no ends of rows and cells, and there are many of them. Columns have their classes in the style sheet.
local function event_row(line, place)
  local time = ("%.3f"):format(line.at * 1000)
  local at = "<td>" .. (place and ('<a href="#%s">%s</a>'):format(place, time) or time)
  if line.note then return '<tr class="note">' .. at .. '<td colspan="3">' .. escape(line.note) end
  return ("<tr>%s<td>%s<td>%s<td>%s"):format(at, line.queue or "", escape(line.who or ""), escape(timeline.words(line)))
end

local function gap_row(count)
  return ('<tr class="gap"><td><td colspan="3">%s here'):format(count == 1 and "1 event is not shown"
    or ("%d events are not shown"):format(count))
end

-- The place of each event in the diagrams, and which events the diagrams show at all.
local function shown_by(list)
  local places, shown = {}, {}
  for _, one in ipairs(list) do
    for _, e in ipairs(one.group.events) do
      shown[e] = shown[e] or not one.drawn.missing[e]
      places[e] = places[e] or one.drawn.places[e]
    end
  end
  return places, shown
end

local function rows_of(run, list)
  local places, shown = shown_by(list)
  local lines, rows, count, missing = run:lines(), {}, 0, 0
  for i, e in ipairs(run.events) do
    local line = lines[i]
    if line and not shown[e] then
      missing = missing + 1
    elseif line then
      if missing > 0 then rows[#rows + 1] = gap_row(missing) end
      rows[#rows + 1], count, missing = event_row(line, places[e]), count + 1, 0
    end
  end
  if missing > 0 then rows[#rows + 1] = gap_row(missing) end
  return rows, count
end

--- Makes the table of the events that the diagrams show.
---@param run lunet.run
---@param list lunet.group_drawn[]
---@return string markup
function page_events.html(run, list)
  local rows, count = rows_of(run, list)
  local all = #run:rows()
  local words = count < all and ("%d of %d rows"):format(count, all) or count == 1 and "1 row" or count .. " rows"
  return element("h2", { id = "timeline" }, "Timeline")
    .. html.paragraph("The diagrams as text: a time leads to its place in a diagram. Queue: depth/limit where it "
      .. "changed, the kernel's own numbers. Acknowledgements of nothing but data are left out.", "quiet")
    .. filter.html "Filter the rows"
    .. element("details", #rows <= OPEN and { open = "open" } or {}, element("summary", {}, words)
      .. html.table("<tr><th>ms<th>queue<th>who<th>what", rows, "events"))
end

return page_events
