--- The parts that all pages share: the document, paragraphs and tables. A text from a script stays text.
local markup = require "lunet.text.markup"

local html = {}

local element, escape = markup.element, markup.escape

--- A paragraph.
---@param words string text
---@param class? string
---@return string markup
function html.paragraph(words, class) return element("p", { class = class }, escape(words)) end

--- A row of a table.
---@param cells (any|{[1]: any, class: string?})[] texts
---@param kind? "td"|"th" of its cells; td by default
---@return string markup
function html.row(cells, kind)
  local parts = {}
  for i, cell in ipairs(cells) do
    local is_table = type(cell) == "table"
    parts[i] = element(kind or "td", { class = is_table and cell.class or nil }, escape(is_table and cell[1] or cell))
  end
  return "<tr>" .. table.concat(parts) .. "</tr>"
end

--- A table, which scrolls if it is too wide.
---@param heading string markup of the row of its head
---@param rows string[] markup of its other rows
---@param id? string
---@return string markup
function html.table(heading, rows, id)
  return element("div", { class = "scroll" }, element("table", { id = id }, element("thead", {}, heading)
    .. element("tbody", {}, table.concat(rows, "\n"))))
end

--- A page that needs nothing else.
---@param title string text
---@param css string
---@param body string[] markup
---@param script? string
---@return string
function html.document(title, css, body, script)
  return table.concat({ '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">', element("title", {}, escape(title)),
    element("style", {}, css), "</head>\n<body>\n<main>", table.concat(body, "\n"), "</main>",
    script and "<script>" .. script .. "</script>" or "", "</body>\n</html>\n" }, "\n")
end

return html
