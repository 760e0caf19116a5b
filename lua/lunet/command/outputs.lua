--- The files of a run: which options name them, and what goes in. Whether a file can be written is
--- known before the run, which may take long. lunet replaces a file as a whole when the run is over: until then, and if
--- the writing fails, the former file stays. Only a trace is written during the run, and only to a new file.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local environment = require "lunet.run.environment"
local interrupt = require "lunet.text.interrupt"

local lfs = dependency "lfs"

---@class lunet.outputs
---@field files table[] {kind: table, path: string, former: any, module: table}
local outputs = {}
outputs.__index = outputs

--- One entry for each option. `module` writes the file, and its function `make` gives the content. A function `create`
--- begins the file during the run; what it returns ends the file. A function `fail` tells of a run that could not run.
--- `needs_events` is false for a file of the verdict alone: nothing more is recorded for it.
--- Only the modules of the files that the user asks for are loaded, and before the run, which must not be late.
---@type {name: string, argname: string, description: string, module: string, needs_segments: boolean?,
---  needs_events: boolean?, make: string}[]
outputs.kinds = {
  { name = "trace", argname = "FILE.jsonl", module = "lunet.files.trace", make = "encode",
    description = "Write every event as a line of JSON, also while the run goes on." },
  { name = "pcap", argname = "FILE.pcap", module = "lunet.files.pcapng", needs_segments = true, make = "encode",
    description = "Write the segments, for Wireshark (pcapng)." },
  { name = "perfetto", argname = "FILE.json", module = "lunet.files.perfetto", make = "encode",
    description = "Write the events for ui.perfetto.dev." },
  { name = "report", argname = "FILE.html", module = "lunet.report.page", make = "html",
    description = "Write a report: one page with the diagram, the queues and the states over time." },
  { name = "svg", argname = "FILE.svg", module = "lunet.report.page", make = "svg",
    description = "Write the diagram alone." },
  { name = "junit", argname = "FILE.xml", module = "lunet.files.junit", needs_events = false, make = "encode",
    description = "Write the verdict as a test result in JUnit's XML, for CI systems." },
}

--- Complains if two files are one, under any names, or if one is the script.
---@param files {kind: {name: string}, path: string}[]
---@param script? string
---@return string? complaint
function outputs.find_double(files, script)
  local taken = { [script and core.file_identity(script) or ""] = "the script" }
  for _, file in ipairs(files) do
    local identity = core.file_identity(file.path)
    if identity and taken[identity] then
      return ("--%s: %s is the file of %s, too"):format(file.kind.name, file.path, taken[identity])
    end
    if identity then taken[identity] = "--" .. file.kind.name end
  end
end

--- Finds the files that the user asks for, and whether lunet can write them. Makes none.
---@param options table<string, string> by the names of the options
---@param script? string the experiment's own file
---@return lunet.outputs?
---@return string? why not
---@return boolean? is_misuse whether the command line is wrong, not the machine
function outputs.open(options, script)
  local self = setmetatable({ files = {} }, outputs)
  for _, kind in ipairs(outputs.kinds) do
    local path = options[kind.name]
    if path then
      local former, why = core.can_replace_file(path)
      if not former then return nil, ("--%s: %s"):format(kind.name, why), false end
      self.files[#self.files + 1] = { kind = kind, path = path, former = former, module = require(kind.module),
        was_there = lfs.attributes(path, "mode") ~= nil }
    end
  end
  local double = outputs.find_double(self.files, script)
  if double then return nil, double, true end
  return self
end

--- Whether the user asks for one that shows events.
---@return boolean
function outputs:needs_events()
  for _, file in ipairs(self.files) do
    if file.kind.needs_events ~= false then return true end
  end
  return false
end

--- The option of a file that has only segments, if the user asks for one.
---@return string? name "--pcap"
function outputs:needs_segments()
  for _, file in ipairs(self.files) do
    if file.kind.needs_segments then return "--" .. file.kind.name end
  end
end

--- Begins the file that is written during the run; nil if there is none.
---@param run lunet.run
---@return nil|fun(recorder: lunet.recording): lunet.trace?
function outputs:follower(run)
  for _, file in ipairs(self.files) do
    if file.module.create and file.former == "none" then
      return function(recorder)
        run.environment = environment.read(recorder.level)
        file.begun = file.module.create(file.path, run, recorder)
        return file.begun
      end
    end
  end
end

-- Rendering allocates a lot and frees little, so collect less often: when memory has grown to four times its size.
local function rare_collection()
  local pause = collectgarbage("setpause", 400)
  return setmetatable({}, { __close = function() collectgarbage("setpause", pause) end })
end

local function make_and_replace(file, run)
  local ok, content = interrupt.pcall(file.module[file.kind.make], run)
  if not ok then return nil, content end
  return core.replace_file(file.path, content)
end

-- The lines that were written during the run stand in a worse order, but are better than none.
local function write_file(file, run)
  local begun = file.begun
  if begun and (not run.outcome or begun:has_more(run)) then return begun:finish(run) end
  if not run.outcome then
    if not file.module.fail then return true end
    return file.module.fail(file.path, run)
  end
  local ok, why = make_and_replace(file, run)
  if begun and not ok and begun.is_whole then return begun:finish(run) end
  return ok, why
end

--- Writes all files. If one of them fails, the others are written all the same. Only the trace and JUnit's file tell of
--- a run without an outcome.
---@param run lunet.run
---@return true? whether they are written
---@return string? why not
function outputs:write(run)
  local _collection <close> = rare_collection()
  local failure
  for _, file in ipairs(self.files) do
    local ok, why = write_file(file, run)
    if not ok then
      failure = failure or ("--%s: %s"):format(file.kind.name, why)
      if file.begun and not file.begun:has_more(run) then file.begun:undo(file.was_there) end
    end
    if file.begun then file.begun:close() end
  end
  return not failure or nil, failure
end

return outputs
