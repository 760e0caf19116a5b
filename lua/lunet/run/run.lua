--- A run: one execution of an experiment. It exists before the experiment runs, with its name and the knobs' values.
--- The execution adds the outcome, the verdict and the recording. Tellers take a run and nothing else. The run derives
--- whatever several of them need, once, at the first question.
local core = require "lunet.core"
local knob = require "lunet.run.knob"
local options = require "lunet.text.options"
local verdict = require "lunet.run.verdict"

---@class lunet.run: lunet.known
---@field experiment? table nil if lunet could not load its file
---@field name string of the experiment
---@field claim? string
---@field knobs table[] the knobs that the experiment declares (lunet.run.knob)
---@field columns string[] the first fields in the outcome's tables
---@field values? table<string, any> the knobs' values, by name
---@field outcome? table plain data; nil before the end of the run, and if it could not run
---@field verdict? string one of the five of lunet.run.verdict
---@field why? string unless the claim holds
---@field figures? string the few numbers to remember, in half a line
---@field plot? lunet.plot|string a plot, or lines of at most 80 columns
---@field mistake? string the error of figures or plot, with its traceback
---@field began? number the beginning of the recording, in seconds of lunet.now()
---@field seconds? number how long it took from then on, with its check; nil if it did not begin
---@field file? string its script, as the user named it
---@field events table[] in the order of time; doc/trace.schema.json describes their kinds
---@field lost integer how many earlier events the ring could not keep
---@field hosts table<integer, string> their names by their numbers
---@field addresses table<string, integer> the number of the host that has an address
---@field failures string[] messages about missing parts of the recording
---@field taps? {dropped: integer, error: number} how well the taps saw segments; nil if none were recorded
---@field wires? lunet.wire_account[] what lunet did with the frames that it forwarded; nil without such a network
---@field environment? table from lunet.run.environment
---@field note? string a remark about where it ran
local run = {}
run.__index = run

local HOME <const> = 0

--- Makes a run with the given fields. Lists and tables among the others are empty.
---@param fields table
---@return lunet.run
function run.of(fields)
  return setmetatable(options.merged({ name = "", knobs = {}, columns = {}, events = {}, lost = 0, hosts = {},
    addresses = {}, failures = {} }, fields), run)
end

--- The name of the experiment that a file returns.
---@param script string the script's file name
---@return string
function run.name_of(script) return script:match "([^/]+)%.lua$" or script:match "[^/]+$" or script end

--- A run before its execution.
---@param experiment table
---@param values table<string, any> of all knobs, from experiment:settings
---@param name? string the experiment's name
---@return lunet.run
function run.new(experiment, values, name)
  return run.of { experiment = experiment, name = name, claim = experiment.claim, knobs = experiment.knobs,
    columns = experiment.columns, values = values }
end

--- Makes it a run that could not run.
---@param failure string its first line says why
---@return lunet.run self
function run:fail(failure)
  self.verdict, self.why = "could not run", failure:match "[^\n]*"
  return self
end

--- The run of a script that has no experiment to run.
---@param script string the script's file name
---@param why string
---@return lunet.run
function run.unloaded(script, why) return run.of({ name = run.name_of(script), file = script }):fail(why) end

--- The knobs' values for a function of the experiment, which may change them.
---@return table<string, any>
function run:copy_of_values()
  local copy = {}
  for name, value in pairs(self.values) do
    copy[name] = type(value) == "table" and table.move(value, 1, #value, 1, {}) or value
  end
  return copy
end

--- Makes its record: plain data, which lunet.run.record writes as JSON.
---@return table
function run:record() return require("lunet.run.record").of(self) end

-- The knobs with other values than their defaults, as on a command line.
local function words_of_knobs(self)
  local words = {}
  for _, k in ipairs(self.knobs) do
    local given, default = knob.text(self.values[k.name]), knob.text(self.experiment:default(k))
    if given ~= default then words[#words + 1] = ("--%s %s"):format(k.name, given) end
  end
  return words
end

--- Makes its record as a directory lists it: with its file and its seconds. A run with other knobs than the defaults
--- has a name of its own, `variant`, since CI systems tell tests apart by their names.
---@return table
function run:listed()
  local record = self:record()
  record.file, record.seconds = self.file, self.seconds
  local words = self.experiment and self.values and words_of_knobs(self) or {}
  if #words > 0 then record.variant = ("%s %s"):format(self.name, table.concat(words, " ")) end
  return record
end

--- Describes the missing parts of its recording.
---@return string[] sentences
function run:unseen()
  local told, count, code = {}, 0, nil
  for _, e in ipairs(self.events) do
    if e.kind == "unseen" then count, code = count + 1, code or e.code end
  end
  local often = count == 1 and "once" or count .. " times"
  if count > 0 then told[1] = ("The kernel could not be asked %s (%s)."):format(often, code) end
  for _, message in ipairs(self.failures) do told[#told + 1] = ("Not seen: %s."):format(message) end
  if self.taps and self.taps.dropped > 0 then
    told[#told + 1] = ("%d segments came too fast to be seen."):format(self.taps.dropped)
  end
  return told
end

--- The seeds that lunet drew for wires: with them the same traffic meets the same fate again.
---@return string[] sentences
function run:seeds()
  local told = {}
  for _, wire in ipairs(self.wires or {}) do
    if wire.seed_drawn then
      told[#told + 1] = ("The %s drew its seed: seed = %d."):format(wire.name, wire.statistics.seed)
    end
  end
  return told
end

--- Describes what wires did that nobody asked for.
---@return string[] sentences
function run:wire_warnings()
  local told = {}
  for _, wire in ipairs(self.wires or {}) do
    local counts = wire.statistics
    if counts.late > 0 then
      told[#told + 1] = ("The %s was late with %d of %d frames, at most by %.1f ms."):format(wire.name, counts.late,
        counts.forwarded, counts.late_max * 1e3)
    end
    if counts.over_capacity > 0 and not wire.capacity_given then
      told[#told + 1] = ("The %s lost %d frames beyond its capacity, which no script set."):format(wire.name,
        counts.over_capacity)
    end
  end
  return told
end

--- Its verdict in words.
---@return string sentence without its end: "The claim holds"
---@return string? more figures if the claim holds, else the reason
---@return string? figures unless the claim holds
function run:judgement()
  local figures, holds = self.figures, self.verdict == "holds"
  if figures and not figures:find "[.!?]$" then figures = figures .. "." end
  if holds then return verdict.sentence(self.verdict), figures end
  return verdict.sentence(self.verdict), self.why, figures
end

-- -- derived for several tellers ---------------------------------------------------------------

-- Derives a field at the first question; raises an error each time.
local function once(self, field, derive)
  if self[field] == nil then self[field] = derive(self) end
  return self[field]
end

--- A reader's zero time: the time of the first event, in seconds of lunet.now(); 0 without events.
---@return number
function run:zero() return self.events[1] and self.events[1].at or 0 end

--- The beginning of the first call, or the first event if that is earlier.
---@return number
function run:earliest()
  return once(self, "earliest_at", function()
    local earliest = self:zero()
    for _, e in ipairs(self.events) do earliest = math.min(earliest, e.since or e.at) end
    return earliest
  end)
end

--- Seconds from the clock of lunet.now() to the calendar's (since 1970).
---@return number
function run:to_wall() return once(self, "wall_offset", function() return core.wall_now() - core.now() end) end

--- A host's name.
---@param number? integer from an event; nil is home
---@return string
function run:host_name(number)
  return self.hosts[number or HOME] or (number or HOME) == HOME and "home" or "host " .. number
end

--- The names of the sockets in its events.
---@return lunet.cast
function run:cast()
  return once(self, "known_cast", function() return require("lunet.recording.cast").of(self.events, self) end)
end

--- The timeline's line of each event, by the event's number. Some events have no line.
---@return table<integer, lunet.timeline_line>
function run:lines()
  return once(self, "known_lines", function()
    return require("lunet.recording.timeline").by_event(self.events, self:cast(), self:zero())
  end)
end

--- The timeline's lines in order.
---@return lunet.timeline_line[]
function run:rows()
  local rows, lines = {}, self:lines()
  for i = 1, #self.events do rows[#rows + 1] = lines[i] end
  return rows
end

--- The groups of hosts that talked to each other, in the order of their first events.
---@return lunet.group[]
function run:groups()
  return once(self, "known_groups", function()
    return require("lunet.recording.groups").of(self.events, self:lines())
  end)
end

return run
