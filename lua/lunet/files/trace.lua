--- A run as lines of JSON, one for each event, for programs: doc/trace.schema.json describes the lines. The first line
--- describes the run, the last line its end. A file without that last line comes from a run that was cut short.
---
--- During the run a new file has the events so far: a killed lunet loses only the last moments. There, segments stand
--- as each host's tap saw them (kind "tap"). After the run lunet replaces the file by the whole: in the order of time,
--- with each segment once (kind "segment"). A file with content stays until then. After a run of more calls than the
--- ring holds, only a new file has the first events. It stays as it is, and gets its last line.
local core = require "lunet.core"
local interrupt = require "lunet.text.interrupt"
local json = require "lunet.text.json"
local options = require "lunet.text.options"

---@class lunet.trace
---@field began number when the run began
---@field recorder lunet.recording
---@field journal any writes the file; nil after it was closed
---@field is_whole boolean whether its lines have no gap
local trace = {}
trace.__index = trace

local FIRST <const> = { "at", "kind", "experiment", "claim", "host", "label" }
local EVERY <const> = 0.05 -- s between two looks

local function line_of(fields) return (json.encode(fields, FIRST):gsub("\n%s*", " ")) .. "\n" end

-- Times are seconds since the run began, to the nanosecond.
local function since(began, at) return math.floor((at - began) * 1e9 + 0.5) / 1e9 end

local function event_line(e, began)
  local fields = options.merged(e)
  fields.packet = nil
  fields.cookie = e.cookie and e.cookie:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  for _, field in ipairs { "at", "since", "arrived" } do
    if fields[field] then fields[field] = since(began, fields[field]) end
  end
  if fields.moved then fields.moved = json.object(fields.moved) end
  return line_of(fields)
end

local function named(run)
  local list = json.object {}
  for number in pairs(run.hosts) do list[tostring(number)] = run:host_name(number) end
  return list
end

-- The first line.
local function opening(run)
  return line_of { kind = "run", at = 0, experiment = run.name, claim = run.claim, knobs = json.object(run.values),
    environment = run.environment, began = run.began + run:to_wall(), schema = 3 }
end

-- The last line: the record of the run, and the quality of its recording.
local function ending(run, lost)
  local line, last = run:record(), run.events[#run.events]
  line.kind, line.at, line.hosts = "end", last and since(run.began, last.at) or 0, named(run)
  line.lost, line.failures, line.taps = lost, #run.failures > 0 and run.failures or nil, run.taps
  line.wires = run.wires
  return line_of(line)
end

--- Makes the whole file of a run that is over.
---@param run lunet.run
---@return string
function trace.encode(run)
  local lines = { opening(run) }
  for _, e in ipairs(run.events) do lines[#lines + 1] = event_line(e, run.began) end
  lines[#lines + 1] = ending(run, run.lost)
  return table.concat(lines)
end

--- Ends the file that a run has written: its last line follows the events. Without such a file, the last line is the
--- only one.
---@param path string
---@param run lunet.run
---@param begun? lunet.trace the file that this run began
---@return boolean? ok
---@return string? why
function trace.finish(path, run, begun)
  if not begun then return core.replace_file(path, ending(run, run.lost)) end
  local file <close>, why = io.open(path, "a")
  if not file then return nil, why end
  local ok
  ok, why = file:write(ending(run, begun.is_whole and 0 or run.lost))
  if ok then ok, why = file:flush() end
  return ok and true, why and ("%s: %s"):format(path, why)
end

-- -- during the run ------------------------------------------------------------------------------

--- Begins a file that follows a run. The file is at no moment empty, and loses its former content.
---@param path string
---@param run lunet.run after its beginning
---@param recorder lunet.recording of the run
---@return lunet.trace|nil
---@return string? message
function trace.create(path, run, recorder)
  local ok, message = core.replace_file(path, opening(run))
  if not ok then return nil, message end
  local journal
  journal, message = core.journal(path, recorder.first, run.began)
  if not journal then return nil, message end
  return setmetatable({ began = run.began, recorder = recorder, journal = journal, is_whole = true }, trace)
end

-- Makes the journal write the calls, and adds lines of what else is new.
local function write_news(self)
  local lines = {}
  local news = self.recorder:news(assert(self.journal:write()))
  for i, e in ipairs(news) do lines[i] = event_line(e, self.began) end
  assert(self.journal:write_text(table.concat(lines)))
end

-- The lines have no gap before the first failure. The run goes on.
local function write(self)
  if self.is_whole then self.is_whole = interrupt.pcall(write_news, self) end
end

--- Writes the new events again and again, as a task, until somebody cancels it.
function trace:follow()
  while self.is_whole do
    core.sleep(EVERY)
    write(self)
  end
end

--- Writes the last events, and closes the file. Harmless twice.
function trace:close()
  if not self.journal then return end
  write(self)
  self.journal:close()
  self.journal = nil
end

trace.__close = trace.close

return trace
