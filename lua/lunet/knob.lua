--- A knob: one parameter of an experiment. It is declared as {default, unit, meaning}, with optional
--- min, max and choices; its type is that of its default (a whole number stays one).
local knob = {}
knob.__index = knob

local FIELDS = { [1] = true, [2] = true, [3] = true, min = true, max = true, choices = true }

-- Every experiment has these options of its own.
local TAKEN = {
  help = true, json = true, machine = true, record = true, timeline = true, trace = true, pcap = true, perfetto = true,
  report = true, svg = true,
}

local function type_of(value)
  if math.type(value) == "integer" then return "integer" end
  return type(value)
end

local function declaration_error(name, text, ...)
  error(("knob %s: " .. text):format(name, ...), 0)
end

local function check_limits(self)
  local is_number = self.type == "integer" or self.type == "number"
  for _, field in ipairs { "min", "max" } do
    local limit = self[field]
    if limit ~= nil and not (is_number and math.type(limit) and limit == limit) then
      declaration_error(self.name, "%s is a number, for a knob that is one", field)
    end
  end
  if self.choices ~= nil and (type(self.choices) ~= "table" or #self.choices == 0) then
    declaration_error(self.name, "choices is a list of what is allowed")
  end
end

--- Makes a knob of its declaration.
---@param name string
---@param declared table {default, unit, meaning, min=, max=, choices=}
---@return lunet.knob
function knob.new(name, declared)
  if type(name) ~= "string" or not name:match "^%l[%l%d_]*$" then
    declaration_error(tostring(name), "a knob's name is a word of small letters, digits and _")
  end
  if TAKEN[name] then declaration_error(name, "the name is taken: --%s is an option of every experiment", name) end
  if type(declared) ~= "table" then declaration_error(name, "declared as {default, unit, meaning}") end
  for field in pairs(declared) do
    if not FIELDS[field] then
      declaration_error(name, "unknown field '%s' (known: min, max, choices)", tostring(field))
    end
  end
  local self = setmetatable({
    name = name, default = declared[1], unit = declared[2], meaning = declared[3],
    min = declared.min, max = declared.max, choices = declared.choices,
    type = type_of(declared[1]),
  }, knob)
  if not ({ integer = true, number = true, string = true, boolean = true })[self.type] then
    declaration_error(name, "the default is a number, a string or a boolean, not %s", self.type)
  end
  if type(self.unit) ~= "string" or type(self.meaning) ~= "string" then
    declaration_error(name, "declared as {default, unit, meaning}; unit and meaning are strings")
  end
  check_limits(self)
  self:check(self.default)
  return self
end

local function bounds(self)
  if self.min and self.max then return (" from %s to %s"):format(self.min, self.max) end
  if self.min then return (", %s or more"):format(self.min) end
  if self.max then return (", %s or less"):format(self.max) end
  return ""
end

--- What the knob may be set to, in words.
---@return string
function knob:allowed()
  if self.choices then
    local words = {}
    for i, choice in ipairs(self.choices) do words[i] = tostring(choice) end
    return "one of " .. table.concat(words, ", ")
  end
  if self.type == "boolean" then return "true or false" end
  if self.type == "string" then return "a string" end
  return (self.type == "integer" and "a whole number" or "a number") .. bounds(self)
end

local function is_within(self, value)
  return value == value and (not self.min or value >= self.min) and (not self.max or value <= self.max)
end

local function is_choice(self, value)
  for _, choice in ipairs(self.choices) do
    if choice == value then return true end
  end
  return false
end

local function fit(self, value)
  if self.type == "integer" then
    value = math.type(value) and math.tointeger(value)
    if not value then return nil end
  elseif self.type ~= type(value) then
    return nil
  end
  if self.choices and not is_choice(self, value) then return nil end
  if math.type(value) and not is_within(self, value) then return nil end
  return value
end

-- In one line, whatever it is.
local function show(value)
  if type(value) ~= "string" then return tostring(value) end
  return (("%q"):format(value):gsub("\\\n", "\\n"))
end

--- Checks a value. Raises an error that names the knob, the value and what is allowed.
---@param value any
---@return any value a whole number as an integer
function knob:check(value)
  local fitting = fit(self, value)
  if fitting == nil then
    error(("knob %s: %s is not allowed; it is %s (%s)"):format(self.name, show(value), self:allowed(), self.unit), 0)
  end
  return fitting
end

--- Checks a value that was given as text, on the command line.
---@param text string
---@return any value
function knob:parse(text)
  if self.type == "string" then return self:check(text) end
  if self.type == "boolean" then
    local value = ({ ["true"] = true, ["false"] = false })[text]
    return self:check(value == nil and text or value)
  end
  local number = text == "inf" and math.huge or tonumber(text)
  return self:check(number == nil and text or number)
end

return knob
