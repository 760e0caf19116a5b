--- Rows as comma-separated values (RFC 4180), with a line feed at the end of each.
local csv = {}

-- A text that a spreadsheet or a reader would take apart is quoted. table.concat writes numbers as tostring does.
local function field(value)
  if value == nil then return "" end
  if math.type(value) then return value end
  local text = tostring(value)
  return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

--- A header and rows.
---@param columns string[] names
---@param rows table[] numbers, texts and booleans by the columns' names; what is nil is empty
---@param get? fun(row: table, column: integer): any finds the value of a column in another way
---@return string
function csv.encode(columns, rows, get)
  local lines, cells = {}, {}
  get = get or function(row, column) return row[columns[column]] end
  for i, name in ipairs(columns) do cells[i] = field(name) end
  lines[1] = table.concat(cells, ",")
  for i, row in ipairs(rows) do
    for column = 1, #columns do cells[column] = field(get(row, column)) end
    lines[i + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

return csv
