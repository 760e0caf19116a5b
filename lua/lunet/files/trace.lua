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
---@field path string
---@field began number when the run began
---@field recorder lunet.recording
---@field journal any writes the file (core.journal)
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
  return setmetatable({ path = path, began = run.began, recorder = recorder, journal = journal, is_whole = true },
    trace)
end

-- The lines have no gap before the first failure. The run goes on.
local function write(self)
  if not self.is_whole then return end
  local ok, is_whole = interrupt.pcall(self.recorder.write_news, self.recorder, self.journal, function(e)
    return event_line(e, self.began)
  end)
  self.is_whole = ok and is_whole
end

--- Writes the new events again and again, as a task, until somebody cancels it.
function trace:follow()
  while self.is_whole do
    core.rest(EVERY)
    write(self)
  end
end

--- Writes the last events. The file stays open for its last line.
trace.__close = write

--- Whether the file has events that the run no longer has.
---@param run lunet.run
---@return boolean
function trace:has_more(run) return self.is_whole and (run.lost > 0 or run.is_partial == true) end

--- Ends the file by its last line.
---@param run lunet.run
---@return true? ok
---@return string? why
function trace:finish(run)
  local ok, why = self.journal:check(self.path)
  if ok then ok, why = self.journal:write_text(ending(run, self.journal:lost())) end
  return ok, why
end

--- Leaves what was there before the run: nothing, or an empty file. A file that somebody else has put there stays.
---@param was_there boolean whether there was an empty file
function trace:undo(was_there)
  if not self.journal:check(self.path) then return end
  if not was_there then core.remove_file(self.path) else self.journal:empty() end
end

--- Closes the file.
function trace:close() self.journal:close() end

--- Tells of a run that could not run, and wrote no file.
---@param path string
---@param run lunet.run
---@return boolean? ok
---@return string? why
function trace.fail(path, run) return core.replace_file(path, ending(run, run.lost)) end

return trace
