--- The field guide as one page of HTML that needs nothing else: with a filter by name, for screen and paper.
local filter = require "lunet.report.filter"
local guide_words = require "lunet.report.guide_words"
local html = require "lunet.report.html"
local markup = require "lunet.text.markup"
local style = require "lunet.report.page_style"

local guide_page = {}

local element, escape, paragraph = markup.element, markup.escape, html.paragraph

local CSS <const> = [[
main { max-width: 1240px; }
nav ol { padding-left: 1.4em; }
a { color: var(--accent); }
h2 { scroll-margin-top: 60px; }
th, td { padding-right: 14px; overflow-wrap: break-word; }
tbody th { font-weight: 600; white-space: nowrap; }
tr { scroll-margin-top: 60px; }
tr:target { outline: 2px solid var(--accent); }
dl.quiet { color: var(--quiet); font-size: 13px; max-width: 60em; }
dl.quiet dt { float: left; margin-right: 8px; font-weight: 600; }
dl.quiet dd { margin: 0 0 2px; }
td.bad { color: var(--bad); font-weight: 600; }
.missing { border-left: 5px dashed var(--quiet); padding: 4px 14px; }
td code { font: 12px ui-monospace, "Liberation Mono", monospace; overflow-wrap: anywhere; }
@media print {
  nav { display: none; }
  a { color: inherit; text-decoration: none; }
  .scroll { overflow: visible; }
  section { break-before: auto; }
  table { font-size: 11px; }
  tbody th { white-space: normal; }
}
]]

local SCRIPT <const> = filter.script
  .. 'filterRows([...document.querySelectorAll("tr[data-name]")], row => row.dataset.name);\n'

-- Whether all cells of a column are numbers, which stand on the right.
local function is_numeric(part, k)
  for _, row in ipairs(part.rows) do
    if not tonumber(row.cells[k]) then return false end
  end
  return true
end

local function row_html(row, classes, worst)
  local cells = { element("th", { scope = "row" }, element("a", { href = "#" .. row.again }, escape(row.name))) }
  for k, text in ipairs(row.cells) do
    local class = (classes[k] or "") .. (k == worst and row.hurts and " bad" or "")
    cells[#cells + 1] = element("td", { class = class ~= "" and class or nil }, escape(text))
  end
  return element("tr", { id = row.id, ["data-name"] = row.name:lower() }, table.concat(cells))
end

local function heading_html(part, classes)
  local parts = { element("th", { scope = "col" }, "program") }
  for k, column in ipairs(part.section.columns) do
    parts[#parts + 1] = element("th", { scope = "col", title = column[3], class = classes[k] }, escape(column[2]))
  end
  return table.concat(parts)
end

local function rows_html(part)
  local classes, rows, worst = {}, {}, nil
  for k, column in ipairs(part.section.columns) do
    classes[k] = is_numeric(part, k) and "number" or nil
    if column[1] == part.section.hurts[1] then worst = k end
  end
  for i, row in ipairs(part.rows) do rows[i] = row_html(row, classes, worst) end
  return html.table("<tr>" .. heading_html(part, classes) .. "</tr>", rows)
end

local function legend_html(section)
  local parts = {}
  for _, column in ipairs(section.columns) do
    if column[3] then
      parts[#parts + 1] = element("dt", {}, escape(column[2])) .. element("dd", {}, escape(column[3]))
    end
  end
  return #parts > 0 and element("dl", { class = "quiet" }, table.concat(parts, "\n")) or ""
end

local function section_html(part)
  local section = part.section
  local parts = { element("h2", { id = part.id }, escape(section.title)), paragraph(section.words) }
  if part.missing then
    parts[3] = paragraph(part.missing, "missing")
  else
    parts[3], parts[4] = rows_html(part), legend_html(section)
    parts[5] = paragraph(section.file .. ", " .. guide_words.source(part), "quiet")
  end
  return element("section", {}, table.concat(parts, "\n"))
end

local function commands_html(commands)
  local rows = {}
  for i, row in ipairs(commands) do
    rows[i] = element("tr", { id = row.again, ["data-name"] = row.name:lower() },
      element("th", { scope = "row" }, element("a", { href = "#" .. row.id }, escape(row.name)))
        .. element("td", {}, element("code", {}, escape(row.command))))
  end
  local heading = element("th", { scope = "col" }, "program") .. element("th", { scope = "col" }, "command")
  return element("section", {}, element("h2", { id = "commands" }, "Commands") .. paragraph(guide_words.COMMANDS)
    .. html.table("<tr>" .. heading .. "</tr>", rows))
end

local function contents_html(parts)
  local items = {}
  for i, part in ipairs(parts) do
    items[i] = element("li", {}, element("a", { href = "#" .. part.id }, escape(part.section.title))
      .. (part.missing and " (not run)" or ""))
  end
  return element("nav", { ["aria-label"] = "Questions" }, element("ol", {}, table.concat(items, "\n")))
end

--- Makes the page.
---@param parts lunet.guide_part[]
---@param commands lunet.guide_row[] of guide.commands
---@return string
function guide_page.html(parts, commands)
  local body = { paragraph("lunet", "name"), element("h1", {}, escape(guide_words.TITLE)),
    paragraph(guide_words.INTRODUCTION), contents_html(parts), filter.html "Filter by name" }
  for _, part in ipairs(parts) do body[#body + 1] = section_html(part) end
  body[#body + 1] = commands_html(commands)
  body[#body + 1] = paragraph(guide_words.MADE_BY:gsub("`", ""), "quiet")
  return html.document(guide_words.TITLE, style.css .. filter.css .. CSS, body, SCRIPT)
end

return guide_page
