--- Rows as comma-separated values (RFC 4180), with a line feed at the end of each.
local csv = {}

-- A text that a spreadsheet or a reader would take apart is quoted.
local function field(value)
  if value == nil then return "" end
  local text = tostring(value)
  return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

--- A header and rows.
---@param columns string[] names
---@param rows table<string, any>[] numbers, texts and booleans by the columns' names; what is nil is empty
---@return string
function csv.encode(columns, rows)
  local lines, cells = {}, {}
  for i, name in ipairs(columns) do cells[i] = field(name) end
  lines[1] = table.concat(cells, ",")
  for _, row in ipairs(rows) do
    for i, name in ipairs(columns) do cells[i] = field(row[name]) end
    lines[#lines + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

return csv
