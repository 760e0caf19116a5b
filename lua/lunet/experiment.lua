--- Experiments: scripts that state a claim, declare their knobs, run, and return an outcome.
---
---     return experiment {
---       claim = "A connect succeeds though nobody accepts.",
---       knobs = { backlog = { 5, "connections", "how many the kernel may queue", min = 0 } },
---       run = function(knobs) ... return outcome end,
---       check = function(outcome, knobs) assert(outcome.connected, "the connect failed") end,
---     }
---
--- Called with knobs, it runs: `local outcome, holds, why = an_experiment { backlog = 7 }`. The lunet
--- program runs a script that returns one.
---
--- A check that cannot tell whether the claim is true calls `experiment.not_judged "why"`: the machine disturbed the
--- run, or its knobs leave nothing to try. The verdict is then "not judged" (lua/lunet/run/verdict.lua lists all four).
local core = require "lunet.core"
local environment = require "lunet.run.environment"
local interrupt = require "lunet.text.interrupt"
local isolation = require "lunet.run.isolation"
local knob = require "lunet.run.knob"
local needs = require "lunet.run.needs"
local options = require "lunet.text.options"
local recording = require "lunet.recording.recording"
local shortage = require "lunet.run.shortage"
local stock = require "lunet.run.stock"
local verdict = require "lunet.run.verdict"

local experiment = {}
experiment.__index = experiment

local FIELDS = {
  claim = "string", knobs = "table", run = "function", check = "function", sysctl = "table", control = "table",
  needs = "table", columns = "table", figures = "function", plot = "function", exclusive = "boolean",
  shortage = "boolean", slow = "boolean",
}
local OPTIONAL = {
  knobs = true, sysctl = true, control = true, needs = true, columns = true, figures = true, plot = true,
  exclusive = true, shortage = true, slow = true,
}
local IN_ORDER = {
  "claim", "knobs", "run", "check", "sysctl", "control", "needs", "columns", "figures", "plot", "exclusive", "shortage",
  "slow",
}

-- Busted loads modules anew for every spec file, so that a metatable does not tell an experiment.
local KIND = "lunet.experiment"

local function misuse(text, ...) error("experiment: " .. text:format(...), 3) end

local function all_are(values, key_kind)
  for key, value in pairs(values or {}) do
    if type(key) ~= key_kind or type(value) ~= "string" then return false end
  end
  return true
end

local function declare(definition)
  if type(definition) ~= "table" then misuse("a table expected, not %s", type(definition)) end
  local unknown = options.unknown("field", definition, IN_ORDER)
  if unknown then misuse("%s", unknown) end
  for _, field in ipairs(IN_ORDER) do
    local value, wanted = definition[field], FIELDS[field]
    if type(value) ~= wanted and not (value == nil and OPTIONAL[field]) then
      misuse("%s is a %s, not %s", field, wanted, type(value))
    end
  end
  if not all_are(definition.needs, "string") then misuse "needs is { program = its Debian package }, both by name" end
  if not all_are(definition.columns, "number") then misuse "columns is a list of names of fields" end
  local self = { kind = KIND, claim = definition.claim, run = definition.run, check = definition.check,
    sysctl = definition.sysctl, control = definition.control, needs = definition.needs or {},
    columns = definition.columns or {}, figures = definition.figures, plot = definition.plot,
    exclusive = definition.exclusive or false, slow = definition.slow or false,
    shortage = definition.shortage, knobs = {} }
  for name, declared in pairs(definition.knobs or {}) do
    local ok, made = pcall(knob.new, name, declared)
    if not ok then misuse("%s", made) end
    self.knobs[#self.knobs + 1] = made
  end
  table.sort(self.knobs, function(a, b) return a.name < b.name end)
  setmetatable(self, experiment)
  local ok, why = pcall(self.settings, self, self.control)
  if not ok then misuse("control: %s", why) end
  stock.declared(self)
  return self
end

--- The values of all knobs: those given, checked, and the defaults of the others. Raises an error
--- that names the knob and what is allowed.
---@param given? table<string, any>
---@return table<string, any>
function experiment:settings(given)
  given = given or {}
  if type(given) ~= "table" then error("knobs: a table expected, not " .. type(given), 0) end
  local values, names = {}, {}
  for i, k in ipairs(self.knobs) do
    names[i] = k.name
    local value = given[k.name]
    if value == nil then value = k.default end
    values[k.name] = k:check(value)
  end
  local unknown = options.unknown("knob", given, names)
  if unknown then error(unknown, 0) end
  return values
end

local function check_plain(value, path, above)
  local kind = type(value)
  if kind == "table" then
    if above[value] then error(path .. " contains itself: an outcome is plain data", 0) end
    above[value] = true
    for key, inner in pairs(value) do
      if type(key) ~= "string" and math.type(key) ~= "integer" then
        error(("%s has a key that is a %s: an outcome is plain data"):format(path, type(key)), 0)
      end
      check_plain(inner, path .. "." .. key, above)
    end
    above[value] = nil
  elseif kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    error(("%s is a %s: an outcome is plain data"):format(path, kind), 0)
  end
end

--- Whether an error was raised on purpose, by assert or error (luassert uses it too), and not by a
--- mistake in the code. To be called by a message handler.
local function was_on_purpose()
  local raiser = debug.getinfo(3, "f")
  return raiser and (raiser.func == assert or raiser.func == error)
end

-- assert and error put before a text where in the check they are, which is nothing to the reader of a verdict.
local function reason_of(failure, check)
  if type(failure) == "table" and failure.message ~= nil then failure = failure.message end
  local reason, where = tostring(failure), debug.getinfo(check, "S").short_src .. ":"
  if reason:sub(1, #where) ~= where then return reason end
  return (reason:sub(#where + 1):gsub("^%d+: ", ""))
end

--- The verdict, and why if the claim does not hold or is not judged.
local function judge(self, outcome, values)
  local is_mistake = false
  local ok, result = xpcall(self.check, function(failure)
    is_mistake = not was_on_purpose()
    return is_mistake and core.traceback(failure) or failure
  end, outcome, values)
  if is_mistake then error("the check of the experiment is wrong: " .. result, 0) end
  if not ok and verdict.is_not_judged(result) then return "not judged", result.why end
  if not ok then return "does not hold", reason_of(result, self.check) end
  if result == false then return "does not hold", "the check returned false" end
  return "holds"
end

--- A text that the experiment makes of an outcome by its field `name`; nil if it has no such field, or if that is
--- wrong, which is told apart.
local function text_of(self, name, outcome, values)
  local fn = self[name]
  if not fn then return nil end
  local ok, result = xpcall(fn, core.traceback, outcome, values)
  if ok and type(result) == "string" then return result end
  if interrupt.is(result) then error(result, 0) end
  if ok then result = "it returned no text, but " .. type(result) end
  return nil, ("mistake in the %s of the experiment: %s"):format(name, result)
end

local function first_line(text) return text:match "[^\n]*" end

local function copy(values)
  local same = {}
  for name, value in pairs(values) do
    same[name] = type(value) == "table" and table.move(value, 1, #value, 1, {}) or value
  end
  return same
end

-- The program's collector is the generational one, as the stock interpreter's, which stops everything for up to 15 ms
-- now and then: clients would come late.
local function collect_in_steps()
  local mode = collectgarbage "incremental"
  return setmetatable({}, { __close = function() collectgarbage(mode) end })
end

--- Judges an outcome: the verdict, and the texts that the experiment makes of it. A mistake in figures or plot is
--- one of the experiment, which so could not run.
---@param outcome table
---@param values table<string, any> of all knobs, from settings
---@return {verdict: string, why: string?, figures: string?, plot: string?, mistake: string?} judgement mistake: what is
--- wrong in figures or plot, with its traceback
function experiment:judge(outcome, values)
  local judged, why = judge(self, outcome, copy(values))
  local figures, figures_mistake = text_of(self, "figures", outcome, copy(values))
  local plot, plot_mistake = text_of(self, "plot", outcome, copy(values))
  local mistake = figures_mistake or plot_mistake
  if mistake then judged, why = "could not run", first_line(mistake) end
  return { verdict = judged, why = why, figures = figures, plot = plot, mistake = mistake }
end

--- Runs it in a scope of its own on a home host of its own, with recording on. An error of the run is
--- raised as it is, and so is that a program is missing.
---@param values table<string, any> of all knobs, from settings
---@param how? {machine: boolean?, record: lunet.record_level?, follow: fun(recorder: lunet.recording)?} on the
--- machine's own network stack instead; how much to record, by default "none" of an exclusive experiment and "kernel"
--- of others; what runs beside it, as a task
---@return {outcome: table, verdict: string, why: string?, figures: string?, plot: string?, mistake: string?,
---  events: table[], lost: integer, hosts: table, wire: table?, began: number, environment: table, note: string?}
function experiment:execute(values, how)
  how = how or {}
  stock.ran(self)
  local are_here, missing = needs.find(self.needs)
  if not are_here then error(missing, 0) end
  if not self.shortage then shortage.watch() end
  local home <close> = how.machine and isolation.on_machine() or isolation.enter(self.sysctl)
  local _steps <close> = collect_in_steps()
  local record <close> = recording.start(how.record or self.exclusive and "none" or "kernel")
  local outcome = core.scope(function()
    local follower = how.follow and core.spawn(how.follow, record)
    local result = core.scope(self.run, copy(values))
    if follower then follower:cancel() end
    return result
  end)
  local cause = shortage.found()
  if cause then error(cause, 0) end
  if type(outcome) ~= "table" then error("run returned no outcome (a table), but " .. type(outcome), 0) end
  check_plain(outcome, "outcome", {})
  local recorded = record:finish()
  local run = self:judge(outcome, values)
  run.outcome, run.events, run.lost = outcome, recorded.events, recorded.lost
  run.hosts, run.wire, run.began = recorded.hosts, recorded.wire, record.began
  run.addresses, run.failures = recorded.addresses, recorded.failures
  run.environment, run.note = environment.read(record.level), home.note
  return run
end

local HOLDS <const> = { ["holds"] = true, ["does not hold"] = false }

--- Runs it.
---@param given? table<string, any> knobs; the others keep their defaults
---@return table outcome plain data
---@return boolean? holds whether the claim holds; nil if that is not judged, or the figures or the plot are mistaken
---@return string? why unless it holds
function experiment:__call(given)
  local ok, values = pcall(self.settings, self, given)
  if not ok then error(values, 2) end
  local run = self:execute(values)
  return run.outcome, HOLDS[run.verdict], run.why
end

---@class lunet.experiment_definition
---@field claim string one sentence
---@field sysctl? table<string, string|number> of its home host and of every host it makes
---@field knobs? table<string, table> {default, unit, meaning, min=, max=, choices=, whole=} by name
---@field run fun(knobs: table): table returns the outcome
---@field check fun(outcome: table, knobs: table) asserts the claim, or calls experiment.not_judged
---@field control? table<string, any> knobs with which the claim is false: the check is shown to be able to fail
---@field shortage? boolean whether it brings a want of resources about itself (EMFILE, ENOMEM, ...); else a call that
--- fails for one makes the run one that could not run, since it tells nothing about the claim
---@field needs? table<string, string> programs that it runs, and the Debian package of each
---@field columns? string[] the fields of the outcome's records, in the order in which a table shows them first
---@field figures? fun(outcome: table, knobs: table): string the few numbers to remember, in half a line
---@field plot? fun(outcome: table, knobs: table): string lines of at most 80 columns, told below the outcome
---@field exclusive? boolean whether its times are wrong when something else takes the processor: it runs alone, and
--- only its calls are recorded, unless --record or a file asks for more
---@field slow? boolean whether it takes over 20 s: a directory leaves it out, unless it is run with --all

return setmetatable({ not_judged = verdict.not_judged }, {
  ---@param definition lunet.experiment_definition
  __call = function(_, definition) return declare(definition) end,
})
