--- The files that a run is written to: which options name them, and what goes in. That a file can be written is found
--- out before the run, which may take long.
local core = require "lunet.core"
local environment = require "lunet.environment"
local interrupt = require "lunet.interrupt"

local outputs = {}
outputs.__index = outputs

-- Seconds from the clock of lunet.now() to the calendar's.
local function to_wall() return core.wall_now() - core.now() end

local function about(run, name, experiment, values)
  return { name = name, claim = experiment.claim, knobs = values, environment = run.environment, began = run.began,
    wall = run.began + to_wall() }
end

--- One for each option: its name, what its value is called, what it does, which module writes it, how that makes its
--- content of a run, how it is begun while the run goes on, and whether it has nothing but what crossed the wire. Only
--- the modules of files that are asked for are loaded, and before the run, which must not be held up.
---@type {name: string, argname: string, description: string, module: string, needs_wire: boolean?,
--- make: (fun(module: table, run: table, name: string, experiment: table, values: table): string),
--- begin: (fun(module: table, path: string, about: table): table, string)?}[]
outputs.kinds = {
  { name = "trace", argname = "FILE.jsonl", module = "lunet.trace_file",
    begin = function(trace_file, ...) return trace_file.create(...) end,
    make = function(trace_file, run, ...) return trace_file.encode(run, about(run, ...)) end,
    description = "Write every event as a line of JSON, also while the run goes on." },
  { name = "pcap", argname = "FILE.pcap", module = "lunet.pcapng", needs_wire = true,
    make = function(pcapng, run) return pcapng.encode(run.events, run.hosts, to_wall()) end,
    description = "Write what crossed the wire, for Wireshark (pcapng)." },
  { name = "perfetto", argname = "FILE.json", module = "lunet.perfetto",
    make = function(perfetto, run) return perfetto.encode(run) end,
    description = "Write the events for ui.perfetto.dev." },
  { name = "report", argname = "FILE.html", module = "lunet.report",
    make = function(report, ...) return report.page(...) end,
    description = "Write a report: one page with the diagram, the queues and the states over time." },
  { name = "svg", argname = "FILE.svg", module = "lunet.report",
    make = function(report, ...) return report.svg(...) end,
    description = "Write the diagram alone." },
}

local function exists(path)
  local file <close> = io.open(path, "r")
  return file ~= nil
end

-- Opened for appending, so that what is in it stays until there is something better.
local function try(path)
  local was_there = exists(path)
  local file, why = io.open(path, "ab")
  if not file then return nil, why end
  file:close()
  return was_there and "old" or "new"
end

--- Finds which files were asked for, and that they can be written.
---@param options table<string, string> by the names of the options
---@return lunet.outputs? a to-be-closed value: what was not written leaves no file behind
---@return string? why not
function outputs.open(options)
  local self = setmetatable({ files = {} }, outputs)
  for _, kind in ipairs(outputs.kinds) do
    local path = options[kind.name]
    if path then
      local age, why = try(path)
      if not age then
        self:close()
        return nil, ("--%s: %s"):format(kind.name, why)
      end
      self.files[#self.files + 1] = { kind = kind, path = path, is_new = age == "new", module = require(kind.module) }
    end
  end
  return self
end

--- Whether any was asked for.
function outputs:any() return #self.files > 0 end

--- Whether one was asked for that has nothing but what crossed the wire; its option then.
---@return string? name "--pcap"
function outputs:needs_wire()
  for _, file in ipairs(self.files) do
    if file.kind.needs_wire then return "--" .. file.kind.name end
  end
end

--- What is to run beside the run, as a task, for the files that are written meanwhile; nil if there are none.
---@return fun(recorder: lunet.recording)?
function outputs:follower(name, experiment, values)
  for _, file in ipairs(self.files) do
    if file.kind.begin then
      return function(recorder)
        local run = { environment = environment.read(recorder.level), began = recorder.began }
        local begun <close> = file.kind.begin(file.module, file.path, about(run, name, experiment, values))
        file.is_written = begun ~= nil -- and stays, whatever becomes of the run
        if begun then begun:follow(recorder) end
      end
    end
  end
end

local function write(path, content)
  local file, why = io.open(path, "wb")
  if not file then return nil, why end
  local ok
  ok, why = file:write(content)
  local closed, late = file:close()
  if ok and closed then return true end
  return nil, ("%s: %s"):format(path, ok and late or why)
end

-- Of many events much is made, little of it garbage: memory may grow to four times what it was before it is looked
-- through.
local function rare_collection()
  local pause = collectgarbage("setpause", 400)
  return setmetatable({}, { __close = function() collectgarbage("setpause", pause) end })
end

--- Writes them all; one that cannot be written does not keep the others from it.
---@return true? whether they are written
---@return string? why not
function outputs:write(run, name, experiment, values)
  local _collection <close> = rare_collection()
  local failure
  for _, file in ipairs(self.files) do
    local ok, why = interrupt.pcall(file.kind.make, file.module, run, name, experiment, values)
    if ok then ok, why = write(file.path, why) end
    file.is_written = ok
    if not ok then failure = failure or ("--%s: %s"):format(file.kind.name, why) end
  end
  return not failure or nil, failure
end

--- Takes away the files that were made and not written.
function outputs:close()
  for _, file in ipairs(self.files) do
    if file.is_new and not file.is_written then os.remove(file.path) end
  end
  self.files = {}
end

outputs.__close = outputs.close

return outputs
