--- The report of a run: one page of HTML that needs nothing else. It has at most page.MOST bytes, however much was
--- recorded: then the diagrams and the table of events are excerpts, and say so.
local diagram = require "lunet.report.diagram"
local diagram_style = require "lunet.report.diagram_style"
local diagrams = require "lunet.report.diagrams"
local filter = require "lunet.report.filter"
local html = require "lunet.report.html"
local markup = require "lunet.text.markup"
local page_diagrams = require "lunet.report.page_diagrams"
local page_events = require "lunet.report.page_events"
local page_outcome = require "lunet.report.page_outcome"
local page_script = require "lunet.report.page_script"
local style = require "lunet.report.page_style"
local value = require "lunet.text.value"

local page = {}

--- The size of a page, at most, in bytes.
page.MOST = 300 * 1000

local element, escape, paragraph, row = markup.element, markup.escape, html.paragraph, html.row

local CHARTS <const> = 0.2 -- of the room for diagrams and events, at most
local AN_EVENT <const> = 200 -- bytes of an event's mark and row, about: the first guess
local TRIES <const> = 6 -- of an excerpt that fits
local FULL <const> = 0.9 -- of the room: such an excerpt is good enough

-- -- the top: claim, verdict, knobs, environment -----------------------------------------------

local CLASSES <const> = { ["holds"] = "verdict", ["does not hold"] = "verdict false", ["known difference"] = "verdict" }

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
  return element("h2", { class = "first" }, "Knobs")
    .. html.table(row({ "knob", "value", "unit", "meaning" }, "th"), rows)
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
  return '<details class="printed">' .. element("summary", {}, "Environment")
    .. html.table(row({ "what", "value" }, "th"), flat_rows({}, run.environment or {}, "")) .. "</details>"
end

-- -- the page ----------------------------------------------------------------------------------

-- The diagrams and the table of events, with so many events.
local function excerpt(run, most, charts)
  local list = most > 0 and diagrams.of(run, { most = most, has_rows = true }) or {}
  return { diagrams = page_diagrams.html(run, list, charts), events = page_events.html(run, list) }
end

-- The greatest excerpt of the recorded events that fits; none of them in the worst case.
local function fit(run, room)
  local charts, all = page_diagrams.charts(run, math.floor(room * CHARTS)), diagrams.size(run)
  local most, best, best_most = math.min(all, room // AN_EVENT), excerpt(run, 0, {}), 0
  for _ = 1, TRIES do
    local made = excerpt(run, most, charts)
    local size = #made.diagrams + #made.events
    if size <= room and most > best_most then best, best_most = made, most end
    if size <= room and (most == all or size > room * FULL) then break end
    most = math.min(all, math.floor(most * room / size * (FULL + 1) / 2))
    if most == best_most then break end
  end
  return best
end

--- Makes the page.
---@param run lunet.run
---@return string
function page.html(run)
  local title = run.name .. ": " .. run.claim
  local css = style.css .. filter.css .. diagram_style.css
  local top = { paragraph(run.name, "name"), element("h1", { id = "claim" }, escape(run.claim)), verdict_of(run),
    knobs_table(run), environment_table(run) }
  local outcome = page_outcome.html(run)
  local detail = '<p id="detail" aria-live="polite"></p>'
  local function assemble(happened)
    local body = table.move(top, 1, #top, 1, {})
    table.move({ happened.diagrams, outcome, happened.events, detail }, 1, 4, #body + 1, body)
    return html.document(title, css, body, page_script)
  end
  return assemble(fit(run, page.MOST - #assemble { diagrams = "", events = "" }))
end

--- Makes the diagrams alone, of all events, as SVG.
---@param run lunet.run
---@return string
function page.svg(run)
  local list, left_out = diagrams.of(run)
  local words = run:judgement() .. "."
  local more = left_out > 0 and (" %d more groups of hosts are not drawn."):format(left_out) or ""
  return diagram.svg(list, run.name .. ": " .. run.claim, ("A sequence diagram: a lane for each host and for each "
    .. "queue, time in milliseconds from top to bottom, %d recorded events. %s%s"):format(#run.events, words, more))
end

return page
