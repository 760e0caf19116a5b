--- Checked tables of options. An unknown name or a wrong value is misuse: it raises an error that names the option, the
--- expected value and the given one.
---
---     local FIELDS = { patience = options.above(0, "seconds"), retries = options.whole(0, 16), host = options.host }
---     options.check("clients", given, FIELDS, { "patience", "host" })
local core = require "lunet.core"
local value = require "lunet.text.value"

local options = {}

---@class lunet.option
---@field expected string
---@field accepts fun(value: any): boolean

local function number_option(words, bound, unit, accepts)
  return { expected = ("a number%s %s"):format(unit and " of " .. unit or "", words:format(bound)),
    accepts = function(any) return type(any) == "number" and any > -math.huge and any < math.huge and accepts(any) end }
end

---@param least number
---@param unit? string
---@param most? number
---@return lunet.option a finite number
function options.from(least, unit, most)
  local words = most and ("from %%g to %g"):format(most) or "from %g on"
  return number_option(words, least, unit, function(number) return number >= least and number <= (most or number) end)
end

---@param bound number
---@param unit? string
---@return lunet.option a finite number
function options.above(bound, unit)
  return number_option("above %g", bound, unit, function(number) return number > bound end)
end

---@param least? integer
---@param most? integer
---@return lunet.option
function options.whole(least, most)
  local range = least and (most and (" from %d to %d"):format(least, most) or (" from %d on"):format(least)) or ""
  return { expected = "a whole number" .. range, accepts = function(any)
    return math.type(any) == "integer" and any >= (least or any) and any <= (most or any)
  end }
end

---@param names string[]
---@return lunet.option
function options.one_of(names)
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  return { expected = #names > 2 and "one of " .. table.concat(names, ", ") or table.concat(names, " or "),
    accepts = function(any) return known[any] == true end }
end

local function of_type(name)
  return { expected = "a " .. name, accepts = function(any) return type(any) == name end }
end

options.fn, options.list, options.text = of_type "function", of_type "table", of_type "string"

options.truth = { expected = "true or false", accepts = function(any) return type(any) == "boolean" end }

--- An option that its owner checks by itself.
options.any = { expected = "any value", accepts = function() return true end }

options.host = { expected = "an open host", accepts = function(any)
  local is_host, is_open = core.is_host(any)
  return is_host and is_open
end }

options.target = { expected = "a listener, an address or a table with one", accepts = function(any)
  return core.is_listener(any) or type(any) == "string" or type(any) == "table"
end }

local function shown(any) return type(any) == "string" and ("%q"):format(any) or tostring(any) end

--- Looks for an unknown name, and describes it: "unknown option 'size' (known: delay, capacity)".
---@param word string the kind of the names: "option", "field", "knob"
---@param given table
---@param known string[] in the order of the list
---@return string|nil complaint nil if every name is known
function options.unknown(word, given, known)
  local is_known = {}
  for _, name in ipairs(known) do is_known[name] = true end
  for name in pairs(given) do
    if not is_known[name] then
      return ("unknown %s '%s' (known: %s)"):format(word, tostring(name), table.concat(known, ", "))
    end
  end
  return nil
end

--- Merges tables.
---@param ... table|nil
---@return table merged a new one; the fields of a later table replace those of an earlier one
function options.merged(...)
  local merged = {}
  for i = 1, select("#", ...) do
    for name, any in pairs((select(i, ...)) or {}) do merged[name] = any end
  end
  return merged
end

--- Checks one value.
---@param what string the owner of the value, and its name: "offer: began"
---@param any any
---@param option lunet.option
function options.value(what, any, option)
  if not option.accepts(any) then core.misuse(("%s: %s expected, not %s"):format(what, option.expected, shown(any))) end
end

--- Checks a table of options.
---@param what string their owner: "clients"
---@param given table
---@param fields table<string, lunet.option> by name
---@param required? string[] names; the others may be nil
function options.check(what, given, fields, required)
  if type(given) ~= "table" then core.misuse(("%s: a table of options expected, not %s"):format(what, shown(given))) end
  local unknown = options.unknown("option", given, value.sorted_keys(fields))
  if unknown then core.misuse(("%s: %s"):format(what, unknown)) end
  for _, name in ipairs(required or {}) do options.value(what .. ": " .. name, given[name], fields[name]) end
  for name, any in pairs(given) do options.value(what .. ": " .. name, any, fields[name]) end
end

return options
