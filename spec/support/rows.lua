--- The records that an experiment's outcome lists.
local choice = require "lunet.run.choice"

local rows = {}

--- The record with a name in a field; fails if there is none.
---@param list table[]
---@param name any
---@param field string
---@return table
function rows.find(list, name, field)
  return assert(choice.find(list, name, field), "no record of " .. tostring(name))
end

--- The values of a field, row by row.
---@param list table[]
---@param field string
---@return any[]
function rows.column(list, field)
  local column = {}
  for i, row in ipairs(list) do column[i] = row[field] end
  return column
end

--- All records, reduced to some of their fields.
---@param list table[]
---@param ... string the fields
---@return any[][]
function rows.fields(list, ...)
  local reduced = {}
  for i, row in ipairs(list) do
    reduced[i] = {}
    for j, field in ipairs { ... } do reduced[i][j] = row[field] end
  end
  return reduced
end

return rows
