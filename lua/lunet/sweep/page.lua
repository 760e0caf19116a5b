--- The report of a sweep as one HTML file that needs nothing else.
local differences = require "lunet.sweep.differences"
local html = require "lunet.report.html"
local interval = require "lunet.sweep.interval"
local markup = require "lunet.text.markup"
local results = require "lunet.sweep.results"
local shell = require "lunet.text.shell"
local style = require "lunet.report.page_style"
local value = require "lunet.text.value"

local page = {}

local element, escape, paragraph = markup.element, markup.escape, html.paragraph

local function html_table(head, rows)
  local lines = {}
  for i, row in ipairs(rows) do lines[i] = html.row(row) end
  return html.table(html.row(head, "th"), lines)
end

-- -- tables of intervals -------------------------------------------------------------------------

-- "19 of 20 (0.76 to 0.99)" of a share, "98 (95 to 99)" of a number; no median over runs in more than one state.
local function range_text(found, point, name)
  local numbers, is_share = found:numbers(point, name)
  if is_share or name == results.HOLDS then
    local count = 0
    for _, one in ipairs(numbers) do count = count + one end
    return interval.share_text(count, #numbers)
  end
  local mixture = found:mixture(point, name)
  if mixture then return mixture end
  local range, why = found:interval(point, name)
  if not range then return why end
  return ("%s (%s to %s)"):format(value.round(range.value), value.round(range.low), value.round(range.high))
end

--- A row for each point: the knobs that the sweep names, in how many runs the claim held, each measure's interval.
---@param found lunet.sweep_results
---@return string[] head
---@return string[][] rows
function page.points_table(found)
  local plan, head, rows = found.plan, {}, {}
  table.move(plan.axes, 1, #plan.axes, 1, head)
  head[#head + 1] = "held"
  for _, measure in ipairs(found.measures) do head[#head + 1] = measure.name end
  for i, point in ipairs(plan.points) do
    local row = {}
    for k, axis in ipairs(plan.axes) do row[k] = point.knobs[axis] end
    row[#row + 1] = range_text(found, point, results.HOLDS)
    for _, measure in ipairs(found.measures) do row[#row + 1] = range_text(found, point, measure.name) end
    rows[i] = row
  end
  return head, rows
end

local function differences_html(found)
  local rows = differences.of(found)
  if #rows == 0 then return "" end
  return element("details", {}, element("summary", {}, "Differences from the first point, by pairs of the same seeds")
    .. html_table(differences.table(found, rows)))
end

-- -- single runs ---------------------------------------------------------------------------------

-- The numbers of a figure in the runs that are done, from the worst on.
local function ranked(found, measure)
  local numbers, sign = {}, measure.better == "less" and -1 or 1
  for _, row in ipairs(found.rows) do
    local number = row.record.state == "done" and row.figures[measure.name]
    if math.type(number) then numbers[#numbers + 1] = sign * number end
  end
  table.sort(numbers)
  for i, number in ipairs(numbers) do numbers[i] = sign * number end
  return numbers
end

-- The first run of a figure's number, in the order of the points.
local function run_with(found, measure, number)
  for _, row in ipairs(found.rows) do
    if row.record.state == "done" and row.figures[measure.name] == number then return row end
  end
end

-- The worst and the median run of a measure; none if no run has it.
local function singles_of(found, measure)
  local numbers = ranked(found, measure)
  if #numbers == 0 then return {} end
  return { { what = measure.better and "the worst run" or "the least one", row = run_with(found, measure, numbers[1]) },
    { what = "the median run", row = run_with(found, measure, numbers[(#numbers + 1) // 2]) } }
end

--- The single runs that the page shows: of each measure the worst one and the median one.
---@param found lunet.sweep_results
---@return lunet.results_row[]
function page.singles(found)
  local rows = {}
  for _, measure in ipairs(found.plan.measures) do
    for _, single in ipairs(singles_of(found, measure)) do rows[#rows + 1] = single.row end
  end
  return rows
end

local REPEATED <const> = "The run repeated, with recording. That is another run of the same knobs and seed: its "
  .. "figures may differ."

local function run_html(found, what, row, timeline_of)
  local record, plan, rows = row.record, found.plan, {}
  local name = ("%s-r%d"):format(record.point, record.replicate)
  local words, timeline = { "lunet", table.unpack(plan:words(plan:find(name))) }, timeline_of(name)
  table.move({ "--report", "run.html" }, 1, 2, #words + 1, words)
  for i, figure in ipairs(value.sorted_keys(row.figures)) do
    rows[i] = { tostring(figure), value.show(row.figures[figure]) }
  end
  return element("details", {}, element("summary", {}, escape(("%s: %s, %s"):format(what, name, record.verdict)))
    .. html_table({ "figure", "value" }, rows)
    .. (timeline and paragraph(REPEATED) .. element("pre", {}, escape(timeline)) or "")
    .. paragraph "Its knobs once more, as a page with a diagram:" .. element("pre", {}, escape(shell.line(words))))
end

local function runs_html(found, measure, timeline_of)
  local parts = {}
  for i, single in ipairs(singles_of(found, measure)) do
    parts[i] = run_html(found, single.what, single.row, timeline_of)
  end
  return table.concat(parts)
end

-- -- figures -------------------------------------------------------------------------------------

-- The characters that mean something in an address or in HTML, or are none of ASCII.
local ESCAPED <const> = "[%c\"#%%&'<>?`\x7f-\xff]"
local ESCAPES <const> = {}
for byte = 0, 255 do ESCAPES[string.char(byte)] = ("%%%02X"):format(byte) end

-- As an image of its own, since the parts of gnuplot's SVG have the same names in each of them.
local function image(measure, svg)
  local address = svg:gsub(ESCAPED, ESCAPES)
  return ('<img alt="%s" src="data:image/svg+xml,%s"/>'):format(escape(measure.name), address)
end

local function measure_html(found, measure, svg, timeline_of)
  local unit = measure.unit ~= "" and (" (%s)"):format(measure.unit) or ""
  return element("h2", {}, escape(measure.name .. unit)) .. paragraph(measure.meaning)
    .. (svg and image(measure, svg) or paragraph("No figure is drawn.", "quiet"))
    .. runs_html(found, measure, timeline_of)
end

-- -- environment ---------------------------------------------------------------------------------

local function identities_html(plan)
  local rows = {}
  for i, one in ipairs(plan.identities) do
    for _, what in ipairs(value.sorted_keys(one)) do rows[#rows + 1] = { tostring(i), what, one[what] } end
  end
  return "<h2>Done with</h2>" .. html_table({ "identity", "what", "which" }, rows)
end

local function environment_html(environment)
  local rows = {}
  for i, name in ipairs(value.sorted_keys(environment.sysctl)) do
    rows[i] = { name, tostring(environment.sysctl[name]) }
  end
  return element("details", {}, element("summary", {}, "Settings of the first run's hosts")
    .. html_table({ "sysctl", "value" }, rows))
end

--- Makes the page.
---@param found lunet.sweep_results
---@param summary string how many runs are done, in a sentence
---@param svgs table<string, string> the figures that are drawn, by the measure's name
---@param timeline_of fun(name: string): string? the timeline of a single run, if there is one
---@return string
function page.html(found, summary, svgs, timeline_of)
  local plan = found.plan
  local claim = found.rows[1] and found.rows[1].record.claim or plan.experiment
  local body = { paragraph(plan.experiment, "name"), element("h1", {}, escape(claim)), paragraph(summary),
    element("pre", {}, escape(plan.command)), "<h2>Points</h2>", html_table(page.points_table(found)),
    differences_html(found) }
  for _, measure in ipairs(found:drawn_measures()) do
    body[#body + 1] = measure_html(found, measure, svgs[measure.name], timeline_of)
  end
  body[#body + 1] = identities_html(plan)
  if found.environment then body[#body + 1] = environment_html(found.environment) end
  return html.document(plan.experiment .. ": " .. claim, style.css, body)
end

return page
