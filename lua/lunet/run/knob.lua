--- A knob: one parameter of an experiment. An experiment declares it as {default, unit, meaning}, with optional min,
--- max and choices. Its default gives its type: a whole number, a number, a string, a boolean; or a list of whole
--- numbers, of numbers or of strings. For a list, min, max and choices hold for each value.
---
---     backlogs = { { 3, 5, 40 }, "connections", "the backlogs to try", min = 0 }     --> --backlogs 3,5,40
---
--- A time in seconds (unit "s") is a number, even if its default is 1. Where the kernel takes only whole seconds, the
--- declaration has `whole = true`.
local options = require "lunet.text.options"

---@class lunet.knob
---@field name string
---@field default any
---@field unit string
---@field meaning string
---@field min? number
---@field max? number
---@field choices? any[]
---@field type string "integer", "number", "string" or "boolean"
---@field is_list boolean
local knob = {}
knob.__index = knob

local FIELDS = { "min", "max", "choices", "whole" } -- by name, besides the default, the unit and the meaning

-- Every experiment has these options.
local TAKEN = {
  help = true, json = true, machine = true, record = true, timeline = true, trace = true, pcap = true, perfetto = true,
  report = true, svg = true, junit = true, tap = true, open = true, control = true,
}

local MOST <const> = 1000 -- values of a list
local MOST_COUNT <const> = 2 ^ 31 - 1 | 0 -- of a knob with min and without max: the kernel's calls take no more
local LONG <const> = 200 -- bytes of a refused value in its message

local TYPES <const> = { integer = true, number = true, string = true, boolean = true }

local function type_of(value, is_time)
  if math.type(value) == "integer" then return is_time and "number" or "integer" end
  return type(value)
end

-- Whether the default is a list, and the type of its values: "number" if at least one of them is a float.
local function types_of(default, is_time)
  if type(default) ~= "table" then return false, type_of(default, is_time) end
  local kind = type_of(default[1], is_time)
  for _, value in ipairs(default) do
    if kind == "integer" and math.type(value) == "float" then kind = "number" end
  end
  return true, kind
end

local function declaration_error(name, text, ...)
  error(("knob %s: " .. text):format(name, ...), 0)
end

local function check_limits(self)
  local is_number = self.type == "integer" or self.type == "number"
  for _, field in ipairs { "min", "max" } do
    local limit = self[field]
    if limit ~= nil and not (is_number and math.type(limit) and limit == limit) then
      declaration_error(self.name, "%s is a number, and only for a number", field)
    end
  end
  if self.choices ~= nil and (type(self.choices) ~= "table" or #self.choices == 0) then
    declaration_error(self.name, "choices is a list of the allowed values")
  end
end

--- Makes a knob from its declaration.
---@param name string
---@param declared table {default, unit, meaning, min=, max=, choices=, whole=}
---@return lunet.knob
function knob.new(name, declared)
  if type(name) ~= "string" or not name:match "^%l[%l%d_]*$" then
    declaration_error(tostring(name), "a knob's name is a word of small letters, digits and _")
  end
  if TAKEN[name] then declaration_error(name, "the name is taken: --%s is an option of every experiment", name) end
  if type(declared) ~= "table" then declaration_error(name, "declare it as {default, unit, meaning}") end
  local named = {}
  for field, given in pairs(declared) do
    if field ~= 1 and field ~= 2 and field ~= 3 then named[field] = given end
  end
  local unknown = options.unknown("field", named, FIELDS)
  if unknown then declaration_error(name, "%s", unknown) end
  local self = setmetatable({
    name = name, default = declared[1], unit = declared[2], meaning = declared[3],
    min = declared.min, max = declared.max, choices = declared.choices,
  }, knob)
  self.is_list, self.type = types_of(self.default, self.unit == "s" and not declared.whole)
  if not TYPES[self.type] and not self.is_list then
    declaration_error(name, "the default is a number, a string or a boolean, not %s", self.type)
  elseif not TYPES[self.type] or self.is_list and self.type == "boolean" then
    declaration_error(name, "a list as the default has numbers or strings, 1 or more")
  end
  if type(self.unit) ~= "string" or type(self.meaning) ~= "string" then
    declaration_error(name, "declare it as {default, unit, meaning}; unit and meaning are strings")
  end
  check_limits(self)
  self.default = self:check(self.default)
  return self
end

local function bounds(self)
  if self.min and self.max then return (" from %s to %s"):format(self.min, self.max) end
  if self.min then return (", %s or more"):format(self.min) end
  if self.max then return (", %s or less"):format(self.max) end
  return ""
end

local WORDS <const> = {
  boolean = "true or false", string = "a string", integer = "a whole number", number = "a number",
}
local PLURALS <const> = { string = "strings", integer = "whole numbers", number = "numbers" }

local function allowed_of(self, words)
  if not self.choices then return words[self.type] .. bounds(self) end
  local choices = {}
  for i, choice in ipairs(self.choices) do choices[i] = tostring(choice) end
  return (self.is_list and "any of " or "one of ") .. table.concat(choices, ", ")
end

--- The allowed values in words.
---@return string
function knob:allowed()
  if not self.is_list then return allowed_of(self, WORDS) end
  return ("%s, with commas between them, 1 to %d of them"):format(allowed_of(self, PLURALS), MOST)
end

-- Whether a count is too high for the kernel's calls, though the declaration has no max.
local function is_too_wide(self, value)
  return self.type == "integer" and math.type(value) == "integer" and self.min and not self.max and value > MOST_COUNT
end

local function is_within(self, value)
  if is_too_wide(self, value) then return false end
  return value == value and (not self.min or value >= self.min) and (not self.max or value <= self.max)
end

local function is_choice(self, value)
  for _, choice in ipairs(self.choices) do
    if choice == value then return true end
  end
  return false
end

local function fit_one(self, value)
  if self.type == "integer" then
    value = math.type(value) and math.tointeger(value)
    if not value then return nil end
  elseif self.type ~= type(value) then
    return nil
  elseif self.type == "number" then
    value = value + 0.0 -- a float; 0.0 in place of -0.0, which is equal but looks different
  end
  if self.choices and not is_choice(self, value) then return nil end
  if math.type(value) and not is_within(self, value) then return nil end
  return value
end

-- Makes a new list, so that nobody changes the default.
local function fit(self, value)
  if not self.is_list then return fit_one(self, value) end
  if type(value) ~= "table" or #value == 0 or #value > MOST then return nil end
  local list, fields = {}, 0
  for _ in pairs(value) do fields = fields + 1 end
  for i, one in ipairs(value) do
    list[i] = fit_one(self, one)
    if list[i] == nil then return nil end
  end
  return #list == fields and list or nil
end

-- Any value in one line of bounded length.
local function show(value)
  if type(value) ~= "string" then return tostring(value) end
  local is_long = #value > LONG
  local shown = ("%q"):format(is_long and value:sub(1, LONG) or value):gsub("\\\n", "\\n")
  return is_long and shown .. "..." or shown
end

-- A list as on a command line; any other value as such.
local function show_any(value)
  if type(value) ~= "table" or #value == 0 then return show(value) end
  local words = {}
  for i = 1, math.min(#value, MOST) do words[i] = show(value[i]) end
  return table.concat(words, ",")
end

--- Checks a value. Raises an error that names the knob, the value and the allowed values.
---@param value any
---@return any value a whole number as an integer
function knob:check(value)
  local fitting = fit(self, value)
  if fitting == nil then
    local shown = self.is_list and show_any(value) or show(value)
    local allowed = self:allowed() .. (is_too_wide(self, value) and ", at most " .. MOST_COUNT or "")
    error(("knob %s: %s is not allowed; it is %s (%s)"):format(self.name, shown, allowed, self.unit), 0)
  end
  return fitting
end

-- nil if the text has not the knob's type.
local function read(self, text)
  if self.type == "string" then return text end
  if self.type == "boolean" then return ({ ["true"] = true, ["false"] = false })[text] end
  return text == "inf" and math.huge or tonumber(text)
end

-- nil if one of the words has not the type.
local function read_list(self, text)
  local list = {}
  for word in (text .. ","):gmatch "([^,]*)," do
    local value = read(self, word)
    if value == nil or #list == MOST then return nil end
    list[#list + 1] = value
  end
  return list
end

--- Checks a text from a command line.
---@param text string
---@return any value
function knob:parse(text)
  local value
  if self.is_list then value = read_list(self, text) else value = read(self, text) end
  if value == nil or self.is_list and fit(self, value) == nil then value = text end -- the error shows the given text
  return self:check(value)
end

--- A value as on a command line.
---@param value any
---@return string
function knob.text(value)
  if type(value) ~= "table" then return tostring(value) end
  local words = {}
  for i, one in ipairs(value) do words[i] = tostring(one) end
  return table.concat(words, ",")
end

return knob
