--- Tables of options. A name that nobody knows and a value that makes no sense are misuse: they raise an error that
--- names the option, what is expected and what was given.
---
---     local FIELDS = { patience = options.above(0, "seconds"), retries = options.whole(0, 16), host = options.host }
---     options.check("clients", given, FIELDS, { "patience", "host" })
local core = require "lunet.core"

local options = {}

---@class lunet.option
---@field expected string
---@field accepts fun(value: any): boolean

local function is_finite(value) return type(value) == "number" and value > -math.huge and value < math.huge end

---@param least number
---@param unit? string
---@return lunet.option a finite number
function options.from(least, unit)
  return { expected = ("a number%s from %g on"):format(unit and " of " .. unit or "", least),
    accepts = function(value) return is_finite(value) and value >= least end }
end

---@param bound number
---@param unit? string
---@return lunet.option a finite number
function options.above(bound, unit)
  return { expected = ("a number%s above %g"):format(unit and " of " .. unit or "", bound),
    accepts = function(value) return is_finite(value) and value > bound end }
end

---@param least? integer
---@param most? integer
---@return lunet.option
function options.whole(least, most)
  local range = least and (most and (" from %d to %d"):format(least, most) or (" from %d on"):format(least)) or ""
  return { expected = "a whole number" .. range, accepts = function(value)
    return math.type(value) == "integer" and value >= (least or value) and value <= (most or value)
  end }
end

---@param names string[]
---@return lunet.option
function options.one_of(names)
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  return { expected = table.concat(names, " or "), accepts = function(value) return known[value] == true end }
end

local function of_type(name)
  return { expected = "a " .. name, accepts = function(value) return type(value) == name end }
end

options.fn, options.list, options.text = of_type "function", of_type "table", of_type "string"

options.host = { expected = "an open host", accepts = function(value)
  local is_host, is_open = core.is_host(value)
  return is_host and is_open
end }

options.target = { expected = "a listener, an address or a table with one", accepts = function(value)
  return core.is_listener(value) or type(value) == "string" or type(value) == "table"
end }

local function shown(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

local function names_of(fields)
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Looks for a name that is not known, and says so: "unknown option 'size' (known: delay, capacity)".
---@param word string what has such a name: "option", "field", "knob"
---@param given table
---@param known string[] in the order in which they are listed
---@param of? string whose it is, after its name: " of delay"
---@return string|nil complaint nil if every name is known
function options.unknown(word, given, known, of)
  local is_known = {}
  for _, name in ipairs(known) do is_known[name] = true end
  for name in pairs(given) do
    if not is_known[name] then
      return ("unknown %s '%s'%s (known: %s)"):format(word, tostring(name), of or "", table.concat(known, ", "))
    end
  end
  return nil
end

--- Merges tables.
---@param ... table|nil
---@return table merged a new one, with the fields of all; those of a later one go over those of an earlier one
function options.merged(...)
  local merged = {}
  for i = 1, select("#", ...) do
    for name, value in pairs((select(i, ...)) or {}) do merged[name] = value end
  end
  return merged
end

--- Checks one value.
---@param what string whose it is, and its name: "offer: began"
---@param value any
---@param option lunet.option
function options.value(what, value, option)
  if not option.accepts(value) then
    core.misuse(("%s: %s expected, not %s"):format(what, option.expected, shown(value)))
  end
end

--- Checks a table of options.
---@param what string whose they are: "clients"
---@param given table
---@param fields table<string, lunet.option> by name
---@param required? string[] names; the others may be nil
function options.check(what, given, fields, required)
  if type(given) ~= "table" then core.misuse(("%s: a table of options expected, not %s"):format(what, shown(given))) end
  local unknown = options.unknown("option", given, names_of(fields))
  if unknown then core.misuse(("%s: %s"):format(what, unknown)) end
  for _, name in ipairs(required or {}) do options.value(what .. ": " .. name, given[name], fields[name]) end
  for name, value in pairs(given) do options.value(what .. ": " .. name, value, fields[name]) end
end

return options
