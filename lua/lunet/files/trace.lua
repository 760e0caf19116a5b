--- A run as lines of JSON, one for each event, for programs: doc/trace.schema.json describes the lines. The first line
--- describes the run, the last line its end. A file without that last line comes from a run that was cut short.
---
--- During the run a new file has the events so far: a killed lunet loses only the last moments. There, segments stand
--- as each host's tap saw them (kind "tap"). After the run lunet replaces the file by the whole: in the order of time,
--- with each segment once (kind "segment"). A file with content stays until then.
local core = require "lunet.core"
local interrupt = require "lunet.text.interrupt"
local json = require "lunet.text.json"
local options = require "lunet.text.options"

---@class lunet.trace
---@field path string
---@field file file* nil after it was closed
---@field began number when the run began
---@field is_whole boolean
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
local function ending(run)
  local line, last = run:record(), run.events[#run.events]
  line.kind, line.at, line.hosts = "end", last and since(run.began, last.at) or 0, named(run)
  line.lost, line.failures, line.taps = run.lost, #run.failures > 0 and run.failures or nil, run.taps
  line.wires = run.wires
  return line_of(line)
end

--- Makes the whole file of a run that is over.
---@param run lunet.run
---@return string
function trace.encode(run)
  local lines = { opening(run) }
  for _, e in ipairs(run.events) do lines[#lines + 1] = event_line(e, run.began) end
  lines[#lines + 1] = ending(run)
  return table.concat(lines)
end

--- Ends the trace of a run that could not run. The file keeps what the run wrote to it; without that, the last line is
--- the only one.
---@param path string
---@param run lunet.run
---@param is_begun boolean whether this run began the file
---@return boolean? ok
---@return string? why
function trace.fail(path, run, is_begun)
  if not is_begun then return core.replace_file(path, ending(run)) end
  local file <close>, why = io.open(path, "a")
  if not file then return nil, why end
  local ok
  ok, why = file:write(ending(run))
  if ok then ok, why = file:flush() end
  return ok and true, why and ("%s: %s"):format(path, why)
end

-- -- during the run ------------------------------------------------------------------------------

--- Begins a file that follows a run. The file is at no moment empty, and loses its former content.
---@param path string
---@param run lunet.run after its beginning
---@return lunet.trace|nil
---@return string? message
function trace.create(path, run)
  local ok, message = core.replace_file(path, opening(run))
  if not ok then return nil, message end
  local file
  file, message = io.open(path, "a")
  if not file then return nil, message end
  file:setvbuf "no" -- whole lines reach the kernel, and outlive the process
  return setmetatable({ path = path, file = file, began = run.began }, trace)
end

local function news_of(recorder, began)
  local lines = {}
  for _, e in ipairs(recorder:news()) do lines[#lines + 1] = event_line(e, began) end
  return table.concat(lines)
end

-- Writes the new events. Afterwards, `is_whole` says whether the lines have no gap.
local function write_news(self, recorder)
  local ok, lines = interrupt.pcall(news_of, recorder, self.began)
  if ok and #lines > 0 then ok = self.file:write(lines) end
  self.is_whole = ok
end

--- Writes a recording's new events, as a task, until somebody cancels it, and then once more: a run that fails has no
--- later moment. Ends when it cannot make or write the lines, so that they have no gap; the run goes on.
---@param recorder lunet.recording
function trace:follow(recorder)
  self.is_whole = true
  local _last <close> = setmetatable({}, { __close = function()
    if self.is_whole then write_news(self, recorder) end
  end })
  repeat
    core.sleep(EVERY)
    write_news(self, recorder)
  until not self.is_whole
end

--- Closes the file. After the run, the whole replaces its content.
function trace:close()
  self.file:close()
  self.file = nil
end

function trace:__close()
  if self.file then self:close() end
end

return trace
