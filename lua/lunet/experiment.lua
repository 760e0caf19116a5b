--- Experiments: scripts that state a claim, declare their knobs, run, and return an outcome.
---
---     local claim = experiment {
---       claim = "A connect succeeds though nobody accepts.",
---       knobs = { backlog = { 5, "connections", "how many the kernel may queue", min = 0 } },
---       run = function(knobs)
---         local listener = assert(lunet.listen { backlog = knobs.backlog })
---         return { connected = lunet.connect(listener, 60) ~= nil }
---       end,
---       check = function(outcome) assert(outcome.connected, "the connect failed") end,
---     }
---     local outcome, holds, why = claim { backlog = 7 }
---
--- A call with knobs runs it. A script of experiments/ returns one, and the lunet program runs it.
---
--- A check that cannot tell whether the claim is true calls `experiment.not_judged "why"`: the machine disturbed the
--- run, or its knobs leave nothing to try. The verdict is then "not judged" (lua/lunet/run/verdict.lua lists all five).
local execution = require "lunet.run.execution"
local guest = require "lunet.network.guest"
local knob = require "lunet.run.knob"
local measure = require "lunet.run.measure"
local needs = require "lunet.run.needs"
local older_kernel = require "lunet.run.older_kernel"
local options = require "lunet.text.options"
local run = require "lunet.run.run"
local unrun = require "lunet.run.unrun"
local verdict = require "lunet.run.verdict"

---@class lunet.experiment
---@overload fun(given?: table<string, any>): table, boolean?, string?
---@field claim string
---@field knobs lunet.knob[]
---@field virtual? table<string, any>
---@field needs table|function
local experiment = {}
experiment.__index = experiment

-- The fields of a definition in order, each with its type and its default.
local IN_ORDER <const> = { "claim", "knobs", "run", "check", "sysctl", "control", "virtual", "expects", "needs",
  "columns", "measures", "figures", "plot", "exclusive", "shortage", "slow" }
local TYPES <const> = { claim = "string", knobs = "table", run = "function", check = "function", sysctl = "table",
  control = "table", virtual = "table", expects = "table", needs = "table", columns = "table", measures = "table",
  figures = "function", plot = "function", exclusive = "boolean", shortage = "boolean", slow = "boolean" }
local NEEDED <const> = { claim = true, run = true, check = true }
local DEFAULTS <const> = { knobs = {}, expects = {}, needs = {}, columns = {}, measures = {}, exclusive = false,
  slow = false }

-- Busted loads modules anew for each spec file, so a metatable cannot tell an experiment.
local KIND <const> = "lunet.experiment"

local function misuse(text, ...) error("experiment: " .. text:format(...), 3) end

local function all_are(values, key_kind)
  for key, value in pairs(values) do
    if type(key) ~= key_kind or type(value) ~= "string" then return false end
  end
  return true
end

-- Knobs or measures, by name.
local function made_of(declarations, make)
  local list = {}
  for name, declared in pairs(declarations) do
    local ok, made = pcall(make, name, declared)
    if not ok then misuse("%s", made) end
    list[#list + 1] = made
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function declare(definition)
  if type(definition) ~= "table" then misuse("a table expected, not %s", type(definition)) end
  local unknown = options.unknown("field", definition, IN_ORDER)
  if unknown then misuse("%s", unknown) end
  for _, field in ipairs(IN_ORDER) do
    local value, wanted = definition[field], TYPES[field]
    local is_right = type(value) == wanted or field == "needs" and type(value) == "function"
    if not is_right and (value ~= nil or NEEDED[field]) then
      misuse("%s is a %s, not %s", field, wanted, type(value))
    end
  end
  local self = setmetatable(options.merged(DEFAULTS, definition, { kind = KIND }), experiment)
  if type(self.needs) == "table" and not all_are(self.needs, "string") then
    misuse "needs is { program = its Debian package }, both by name"
  end
  local complaint = older_kernel.complaint(self.expects)
  if complaint then misuse("%s", complaint) end
  if not all_are(self.columns, "number") then misuse "columns is a list of names of fields" end
  self.knobs, self.measures = made_of(self.knobs, knob.new), made_of(self.measures, measure.new)
  for _, field in ipairs { "control", "virtual" } do
    local ok, why = pcall(self.settings, self, self[field])
    if not ok then misuse("%s: %s", field, why) end
  end
  unrun.declared(self)
  return self
end

--- The default of a knob: where waiting takes no time, the experiment may declare another one.
---@param k lunet.knob
---@return any value
function experiment:default(k)
  local virtual = self.virtual and guest.is_virtual() and self.virtual or {}
  if virtual[k.name] == nil then return k.default end
  return virtual[k.name]
end

--- The values of all knobs: the given ones, checked, and the defaults of the others. Raises an error that names the
--- knob and the allowed values.
---@param given? table<string, any>
---@return table<string, any>
function experiment:settings(given)
  given = given or {}
  if type(given) ~= "table" then error("knobs: a table expected, not " .. type(given), 0) end
  local values, names = {}, {}
  for i, k in ipairs(self.knobs) do
    names[i] = k.name
    local value = given[k.name]
    if value == nil then value = self:default(k) end
    values[k.name] = k:check(value)
  end
  local unknown = options.unknown("knob", given, names)
  if unknown then error(unknown, 0) end
  return values
end

--- Whether the programs that a run with these knobs needs are here.
---@param values table<string, any> of all knobs
---@return true|nil
---@return string? message the programs that are missing, and the packages to install; or an error of `needs`
function experiment:find_needs(values)
  if type(self.needs) == "table" then return needs.find(self.needs) end
  local ok, wanted = pcall(self.needs, values)
  if not ok then return nil, wanted end
  return needs.find(wanted)
end

--- Runs it. Raises an error of the run as it is, and an error if a program is missing.
---@param values table<string, any> of all knobs, from settings
---@param how? table see lunet.run.execution
---@return lunet.run
function experiment:execute(values, how) return execution.execute(run.new(self, values), how) end

local HOLDS <const> = { ["holds"] = true, ["does not hold"] = false, ["known difference"] = false }

--- Runs it.
---@param given? table<string, any> knobs; the others keep their defaults
---@return table outcome plain data
---@return boolean? holds whether the claim holds; nil if nobody can judge that, or the figures or the plot raise
---@return string? why unless it holds
function experiment:__call(given)
  local ok, values = pcall(self.settings, self, given)
  if not ok then error(values, 2) end
  local ran = self:execute(values)
  return ran.outcome, HOLDS[ran.verdict], ran.why
end

---@class lunet.experiment_definition
---@field claim string one sentence
---@field sysctl? table<string, string|number> of its home host and of every host that it makes
---@field knobs? table<string, table> {default, unit, meaning, min=, max=, choices=, whole=} by name
---@field run fun(knobs: table): table returns the outcome
---@field check fun(outcome: table, knobs: table) asserts the claim, or calls experiment.not_judged
---@field control? table<string, any> knobs with which the claim is false: they show that the check can fail
---@field virtual? table<string, any> defaults of knobs in virtual time (lunet --virtual-time), where waiting takes no
--- time, but the processor is slow
---@field expects? lunet.known_difference[] known differences of older kernels, { before = "6.14", because = a clause
--- with the commit, check = }: where the claim does not hold and such a check ends well, the verdict is "known
--- difference"
---@field shortage? boolean whether it exhausts resources on purpose (EMFILE, ENOMEM, ...); otherwise a call that fails
--- for want of resources makes the run one that could not run, since it tells nothing about the claim
---@field needs? table<string, string>|fun(knobs: table): table<string, string> programs that it runs, and the Debian
--- package of each
---@field columns? string[] the first fields of the outcome's rows in a table, in this order
---@field measures? table<string, table> {unit, meaning, better=} by the name of the outcome's field: what a sweep
--- summarizes and draws (lunet.run.measure)
---@field figures? fun(outcome: table, knobs: table): string, any? the few numbers to remember, in half a line
---@field plot? fun(outcome: table, knobs: table): lunet.plot|string what stands below the outcome: a plot of
--- lunet.text.plot, which a report draws as SVG, or lines of at most 80 columns
---@field exclusive? boolean whether its times are wrong when something else takes the processor: it runs alone, and
--- lunet records only its calls, unless --record or a file asks for more
---@field slow? boolean whether it takes over 20 s: a directory runs it only with --all

---@class lunet.experiment_module
---@overload fun(definition: lunet.experiment_definition): lunet.experiment
local declaring = {
  not_judged = verdict.not_judged,
}

return setmetatable(declaring, { __call = function(_, definition) return declare(definition) end })
