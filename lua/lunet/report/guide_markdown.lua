--- The field guide in GitHub's Markdown.
local guide_words = require "lunet.report.guide_words"
local markup = require "lunet.text.markup"

local guide_markdown = {}

local function line_of(cells) return "| " .. table.concat(cells, " | ") .. " |" end

local function table_lines(part)
  local heading, rule = { "program" }, { "---" }
  for _, column in ipairs(part.section.columns) do
    heading[#heading + 1], rule[#rule + 1] = column[2], "---"
  end
  heading[#heading + 1], rule[#rule + 1] = "run it again", "---"
  local lines = { line_of(heading), line_of(rule) }
  for _, row in ipairs(part.rows) do
    local cells = { markup.cell(row.name) }
    for _, text in ipairs(row.cells) do cells[#cells + 1] = markup.cell(text) end
    cells[#cells + 1] = ("[again](#%s)"):format(row.again)
    lines[#lines + 1] = line_of(cells)
  end
  return lines
end

local function section_lines(part)
  local section = part.section
  local lines = { "", "## " .. section.title, "", section.words, "" }
  if part.missing then
    lines[#lines + 1] = ("*%s*"):format(markup.cell(part.missing))
    return lines
  end
  local rows = table_lines(part)
  table.move(rows, 1, #rows, #lines + 1, lines)
  lines[#lines + 1] = ""
  for _, column in ipairs(section.columns) do
    if column[3] then lines[#lines + 1] = ("* *%s*: %s"):format(column[2], column[3]) end
  end
  lines[#lines + 1] = ""
  local source = markup.cell(guide_words.source(part))
  lines[#lines + 1] = ("[`%s`](../%s), %s"):format(section.experiment, section.file, source)
  return lines
end

local function command_lines(commands)
  local lines = { "", "## Commands", "", guide_words.COMMANDS, "" }
  for _, row in ipairs(commands) do
    lines[#lines + 1] = ('* <a id="%s"></a>%s: `%s`'):format(row.again, markup.cell(row.name),
      (row.command:gsub("[%c`]", " ")))
  end
  return lines
end

--- Makes the page.
---@param parts lunet.guide_part[]
---@param commands lunet.guide_row[] of guide.commands
---@return string
function guide_markdown.page(parts, commands)
  local lines = { "# " .. guide_words.TITLE, "", guide_words.INTRODUCTION }
  for _, part in ipairs(parts) do
    local more = section_lines(part)
    table.move(more, 1, #more, #lines + 1, lines)
  end
  local last = command_lines(commands)
  table.move(last, 1, #last, #lines + 1, lines)
  table.move({ "", guide_words.MADE_BY }, 1, 2, #lines + 1, lines)
  return table.concat(lines, "\n") .. "\n"
end

return guide_markdown
