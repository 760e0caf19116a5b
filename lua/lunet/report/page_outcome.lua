--- The outcome of a run on its page: a table of its fields, one of each list, and the experiment's plot.
local html = require "lunet.report.html"
local markup = require "lunet.text.markup"
local plots = require "lunet.report.plots"
local tabular = require "lunet.text.table"
local value = require "lunet.text.value"

local page_outcome = {}

local element, escape = markup.element, markup.escape

local MOST <const> = 60000 -- bytes of all tables together

-- Leaves out the rows that have no room.
local function table_html(heading, count, row_of, room)
  local rows = {}
  for i = 1, count do
    local row = row_of(i)
    if #row > room.left then break end
    room.left, rows[i] = room.left - #row, row
  end
  local more = count - #rows
  return html.table(html.row(heading, "th"), rows)
    .. (more > 0 and html.paragraph(("%d more rows are not shown."):format(more)) or "")
end

local function fields_html(fields, outcome, room)
  return table_html({ "field", "value" }, #fields, function(i)
    return html.row { tostring(fields[i]), { value.show(outcome[fields[i]]), class = "value" } }
  end, room)
end

local function list_html(name, list, first, room)
  local heading, columns = {}, tabular.columns(list, first)
  for j, column in ipairs(columns) do heading[j] = { column.name, class = column.is_number and "number" or nil } end
  return element("h3", {}, escape(name)) .. table_html(heading, #list, function(i)
    local cells = {}
    for j, column in ipairs(columns) do cells[j] = { column[i], class = heading[j].class } end
    return html.row(cells)
  end, room)
end

--- Makes it.
---@param run lunet.run
---@return string markup
function page_outcome.html(run)
  local fields, lists = tabular.divide(run.outcome)
  local room, parts = { left = MOST }, { "<h2>Outcome</h2>" }
  if run.plot then parts[2] = plots.html(run.plot) end
  if #fields > 0 then parts[#parts + 1] = fields_html(fields, run.outcome, room) end
  for _, key in ipairs(lists) do
    parts[#parts + 1] = list_html(tostring(key), run.outcome[key], run.columns, room)
  end
  if #fields + #lists == 0 then parts[#parts + 1] = html.paragraph "The outcome is empty." end
  return table.concat(parts, "\n")
end

return page_outcome
