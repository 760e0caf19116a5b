--- Rows as an aligned table: a list of Lua tables that hold numbers, strings and booleans by name.
local text = require "lunet.text.width"
local value = require "lunet.text.value"

local tabular = {}

local function is_row(any)
  if type(any) ~= "table" or next(any) == nil then return false end
  for name, inner in pairs(any) do
    if type(name) ~= "string" or type(inner) == "table" then return false end
  end
  return true
end

--- Divides the fields of an outcome, each in order, into those with a table and the others.
---@param outcome table
---@return any[] keys
---@return any[] tables
function tabular.divide(outcome)
  local keys, tables = {}, {}
  for _, key in ipairs(value.sorted_keys(outcome)) do table.insert(tabular.is(outcome[key]) and tables or keys, key) end
  return keys, tables
end

--- Whether a value is a list of rows, and not empty.
---@param any any plain data
---@return boolean
function tabular.is(any)
  if type(any) ~= "table" or not value.is_list(any) then return false end
  for _, inner in ipairs(any) do
    if not is_row(inner) then return false end
  end
  return #any > 0
end

-- The names of all fields: the given ones first, then the others by name.
local function fields_of(list, first)
  local known = {}
  for _, row in ipairs(list) do
    for name in pairs(row) do known[name] = true end
  end
  local fields = {}
  for _, name in ipairs(first) do
    if known[name] then fields[#fields + 1] = name end
    known[name] = nil
  end
  local others = value.sorted_keys(known)
  return table.move(others, 1, #others, #fields + 1, fields)
end

--- The columns of a table: each has the name of its field, its cells, and whether they are all numbers.
---@param list table[] rows
---@param first string[] the first fields, if the rows have them; the others follow by name
---@return {name: string, is_number: boolean, [integer]: string}[]
function tabular.columns(list, first)
  local columns = {}
  for i, name in ipairs(fields_of(list, first)) do
    local column = { name = name, is_number = true }
    for k, row in ipairs(list) do
      local any = row[name]
      column[k] = any == nil and "" or value.cell(any)
      column.is_number = column.is_number and (any == nil or math.type(any) ~= nil)
    end
    columns[i] = column
  end
  return columns
end

-- Breaks a heading behind "_" into as few lines of at most `width` columns as possible: "begun_after_" above
-- "its_client". A longer part has a line of its own.
local function broken(name, width)
  local lines = { "" }
  for part in name:gmatch "[^_]*_*" do
    local longer = lines[#lines] .. part
    if lines[#lines] == "" or text.width(longer) <= width then lines[#lines] = longer else lines[#lines + 1] = part end
  end
  return lines
end

-- Breaks the headings; returns their number of lines, and the width of the table.
local function set_headings(columns, widest, gap)
  local height, width = 0, 0
  for _, column in ipairs(columns) do
    local least = text.widest(column, 1)
    column.heading = broken(column.name, math.max(widest, least))
    column.width = text.widest(column.heading, least)
    height = math.max(height, #column.heading)
    width = width + column.width + #gap
  end
  return height, width - #gap
end

-- Sets the widest headings with which the table fits. Returns their number of lines, or nil if none fit.
local function fit_headings(columns, width, gap)
  local names = {}
  for i, column in ipairs(columns) do names[i] = column.name end
  for widest = text.widest(names, 1), 1, -1 do
    local height, needed = set_headings(columns, widest, gap)
    if needed <= width then return height end
  end
  return nil
end

--- One line of the table: a cell of each column.
local function row_of(columns, gap, cell_of)
  local cells = {}
  for i, column in ipairs(columns) do
    cells[i] = (column.is_number and text.right or text.left)(cell_of(column), column.width)
  end
  return (table.concat(cells, gap):gsub("%s+$", ""))
end

local function table_lines(columns, gap, height, count)
  local lines = {}
  for line = 1, height do
    lines[line] = row_of(columns, gap, function(column)
      return column.heading[#column.heading - height + line] or ""
    end)
  end
  for i = 1, count do
    lines[height + i] = row_of(columns, gap, function(column) return column[i] end)
  end
  return lines
end

-- Each row is a block, with a line for each field.
local function block_lines(list, fields)
  local lines = {}
  local width = text.widest(fields, 0)
  for i, row in ipairs(list) do
    if i > 1 then lines[#lines + 1] = "" end
    for _, name in ipairs(fields) do
      if row[name] ~= nil then
        lines[#lines + 1] = ("%s = %s"):format(text.left(name, width), value.cell(row[name]))
      end
    end
  end
  return lines
end

--- Makes the lines of a table, one for each row, with numbers to the right. If the table is too wide, it gets broken
--- headings, then less room between its columns. If it still does not fit, each row is a block, with a line
--- `name = value` for each field.
---@param list table[] rows
---@param first string[] the first fields, if the rows have them; the others follow by name
---@param width integer columns of a line, at most
---@return string[]
function tabular.lines(list, first, width)
  local columns = tabular.columns(list, first)
  for _, gap in ipairs { "  ", " " } do
    local height = fit_headings(columns, width, gap)
    if height then return table_lines(columns, gap, height, #list) end
  end
  return block_lines(list, fields_of(list, first))
end

return tabular
