--- The report of a sweep as one HTML file that needs nothing else.
local interval = require "lunet.sweep.interval"
local markup = require "lunet.text.markup"
local results = require "lunet.sweep.results"
local shell = require "lunet.text.shell"
local style = require "lunet.report.page_style"
local value = require "lunet.text.value"

local page = {}

local element, escape = markup.element, markup.escape

local function paragraph(words, class) return element("p", { class = class }, escape(words)) end

local function cells(kind, texts)
  local list = {}
  for i, text in ipairs(texts) do list[i] = element(kind, {}, escape(text)) end
  return element("tr", {}, table.concat(list))
end

local function html_table(head, rows)
  local lines = {}
  for i, row in ipairs(rows) do lines[i] = cells("td", row) end
  return element("div", { class = "scroll" }, element("table", {}, element("thead", {}, cells("th", head))
    .. element("tbody", {}, table.concat(lines, "\n"))))
end

-- -- tables of intervals -------------------------------------------------------------------------

local function range_text(range, why)
  if not range then return why end
  return ("%s (%s to %s)"):format(value.round(range.value), value.round(range.low), value.round(range.high))
end

local function held_text(found, point)
  local numbers, held = found:numbers(point, results.HOLDS), 0
  for _, one in ipairs(numbers) do held = held + one end
  return interval.share_text(held, #numbers)
end

--- A row for each point: the knobs that the sweep names, in how many runs the claim held, each measure's interval.
---@param found lunet.sweep_results
---@return string[] head
---@return string[][] rows
function page.points_table(found)
  local plan, head, rows = found.plan, {}, {}
  table.move(plan.axes, 1, #plan.axes, 1, head)
  head[#head + 1] = "held"
  for _, measure in ipairs(plan.measures) do head[#head + 1] = measure.name end
  for i, point in ipairs(plan.points) do
    local row = {}
    for k, axis in ipairs(plan.axes) do row[k] = point.knobs[axis] end
    row[#row + 1] = held_text(found, point)
    for _, measure in ipairs(plan.measures) do row[#row + 1] = range_text(found:interval(point, measure.name)) end
    rows[i] = row
  end
  return head, rows
end

-- -- single runs ---------------------------------------------------------------------------------

-- The runs that have a figure, from the worst on.
local function ranked(found, measure)
  local rows = {}
  for _, row in ipairs(found.rows) do
    if row.record.state == "done" and math.type(row.figures[measure.name]) then rows[#rows + 1] = row end
  end
  local sign = measure.better == "less" and -1 or 1
  table.sort(rows, function(a, b)
    local x, y = sign * a.figures[measure.name], sign * b.figures[measure.name]
    if x ~= y then return x < y end
    return a.record.point .. a.record.replicate < b.record.point .. b.record.replicate
  end)
  return rows
end

local function run_html(found, what, row)
  local record, plan, rows = row.record, found.plan, {}
  local words = { "lunet", table.unpack(plan:words(plan:find(("%s-r%d"):format(record.point, record.replicate)))) }
  table.move({ "--report", "run.html" }, 1, 2, #words + 1, words)
  for i, name in ipairs(value.sorted_keys(row.figures)) do
    rows[i] = { tostring(name), value.show(row.figures[name]) }
  end
  return element("details", {}, element("summary", {}, escape(("%s: %s-r%d, %s"):format(what, record.point,
    record.replicate, record.verdict))) .. html_table({ "figure", "value" }, rows)
    .. paragraph "Its knobs once more, with a timeline:" .. element("pre", {}, escape(shell.line(words))))
end

local function runs_html(found, measure)
  local rows = ranked(found, measure)
  if #rows == 0 then return "" end
  local worst = measure.better and "the worst run" or "the least one"
  return run_html(found, worst, rows[1]) .. run_html(found, "the median run", rows[(#rows + 1) // 2])
end

-- -- figures -------------------------------------------------------------------------------------

-- As an image of its own, since the parts of gnuplot's SVG have the same names in each of them.
local function image(measure, svg)
  local address = "data:image/svg+xml," .. svg:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end)
  return element("img", { alt = measure.name, src = address })
end

local function measure_html(found, measure, svg)
  local unit = measure.unit ~= "" and (" (%s)"):format(measure.unit) or ""
  return element("h2", {}, escape(measure.name .. unit)) .. paragraph(measure.meaning)
    .. (svg and image(measure, svg) or paragraph("No figure is drawn.", "quiet")) .. runs_html(found, measure)
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
---@return string
function page.html(found, summary, svgs)
  local plan = found.plan
  local claim = found.rows[1] and found.rows[1].record.claim or plan.experiment
  local parts = { '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    element("title", {}, escape(plan.experiment .. ": " .. claim)), element("style", {}, style.css),
    "</head>\n<body>\n<main>", paragraph(plan.experiment, "name"), element("h1", {}, escape(claim)),
    paragraph(summary), element("pre", {}, escape(plan.command)), "<h2>Points</h2>",
    html_table(page.points_table(found)) }
  for _, measure in ipairs(plan.measures) do
    parts[#parts + 1] = measure_html(found, measure, svgs[measure.name])
  end
  local environment = found.environment and environment_html(found.environment) or ""
  table.move({ identities_html(plan), environment, "</main>\n</body>\n</html>\n" }, 1, 3, #parts + 1, parts)
  return table.concat(parts, "\n")
end

return page
