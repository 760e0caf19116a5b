--- A catalogue: the experiments of a directory. They are run each in a process of its own, several at a time.
local interrupt = require "lunet.interrupt"
local dkjson = require "dkjson"
local lunet = require "lunet"

local catalogue = {}

-- -- finding them ---------------------------------------------------------------------------

--- The names of a directory's Lua files, in order.
local function file_names(directory)
  local find, message = lunet.exec { "find", ".", "-maxdepth", "1", "-xtype", "f", "-name", "[!.]*.lua",
    "-printf", "%f\\0", cwd = directory }
  if not find then return nil, message end
  local _find <close> = find
  local output = find.stdout:receive "a"
  local status = find:wait()
  if status ~= 0 then return nil, ("find ended with status %s"):format(status) end
  local names = {}
  for name in output:gmatch "[^\0]+" do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- What a file returns; or nil and why there is none.
local function result_of(file)
  local chunk, message = loadfile(file)
  if not chunk then return nil, message end
  local ok, result = pcall(chunk)
  if ok then return result end
  if interrupt.is(result) then error(result, 0) end
  return nil, tostring(result)
end

--- Loads the experiments of a directory. A file with a mistake is an entry, too, with why it cannot be run; one
--- that returns something else is none.
---@param directory string
---@return {name: string, file: string, experiment: table?, why: string?}[]|nil entries by name
---@return string[]|string others the files that return no experiment; or why there are no entries
function catalogue.load(directory)
  local names, message = file_names(directory)
  if not names then return nil, message end
  local entries, others = {}, {}
  for _, name in ipairs(names) do
    local file = directory:gsub("/*$", "/") .. name
    local result, why = result_of(file)
    local is_experiment = type(result) == "table" and rawget(result, "kind") == "lunet.experiment"
    if is_experiment or why then
      entries[#entries + 1] = { name = name:match "^(.+)%.lua$", file = file, experiment = result, why = why }
    else
      others[#others + 1] = file
    end
  end
  return entries, others
end

-- -- running one ----------------------------------------------------------------------------

--- What a run said, and its status, which is a signal's name if one killed it.
local function execute(words, file, record)
  local program = table.move(words, 1, #words, 1, { stderr = "pipe" })
  table.move({ file, "--json", record and "--record", record }, 1, 4, #program + 1, program)
  local process <close> = assert(lunet.exec(program))
  local texts = lunet.together({ process.stdout, process.stderr }, function(stream) return stream:receive "a" or "" end)
  return { output = texts[1], errors = texts[2], status = assert(process:wait()) }
end

-- The program says "lunet: NAME could not run: WHY", and then perhaps a traceback.
local function complaint_in(errors, name)
  local last
  for line in errors:gmatch "[^\n]+" do
    local own = line:match "^lunet: (.*)"
    if own then
      for _, start in ipairs { name .. " could not run: ", name .. ": " } do
        if own:sub(1, #start) == start then return own:sub(#start + 1) end
      end
      last = last or own
    end
  end
  return last
end

local function ending_of(status)
  if type(status) == "string" then return "killed by " .. status end
  return ("ended with status %d, and printed no record"):format(status)
end

local VERDICTS = { [0] = "holds", [1] = "does not hold" }

--- The record of a run: what it printed itself, with its verdict.
local function record_of(entry, run)
  local printed = dkjson.decode(run.output)
  local record = type(printed) == "table" and printed or { experiment = entry.name, claim = entry.experiment.claim }
  record.verdict = type(printed) == "table" and VERDICTS[run.status] or "could not run"
  if record.verdict == "could not run" then
    record.why = complaint_in(run.errors, entry.name) or ending_of(run.status)
  end
  return record
end

local function run_one(entry, options)
  if not entry.experiment then
    local record = { experiment = entry.name, verdict = "could not run", why = entry.why:match "[^\n]*" }
    return record, ("lunet: %s could not run: %s\n"):format(entry.name, entry.why)
  end
  local started = lunet.now()
  local in_time, run = lunet.within(options.timeout, execute, options.command, entry.file, options.record)
  local record = in_time and record_of(entry, run) or {
    experiment = entry.name, claim = entry.experiment.claim, verdict = "could not run",
    why = ("not over after %g s"):format(options.timeout),
  }
  record.seconds = lunet.now() - started
  return record, in_time and run.errors or ""
end

-- -- running all ----------------------------------------------------------------------------

--- Calls fn for each item, for so many at a time.
local function each_of(items, jobs, fn)
  local at, workers = 0, {}
  for i = 1, math.min(jobs, #items) do workers[i] = i end
  lunet.together(workers, function()
    while at < #items do
      at = at + 1
      fn(items[at])
    end
  end)
end

--- Runs them all; those that are exclusive come last, one by one. Waits.
---@param entries table[] from catalogue.load
---@param options {command: string[], jobs: integer, timeout: number, record: lunet.record_level?} the words that
---  start lunet, how many run at a time, the seconds that one may take, and how much each records, if not its default
---@param observer {began: fun(name: string), ended: fun(name: string, errors: string)} errors: what it has said there
---@return table[] records in the order of the entries: experiment, file, claim, verdict ("holds", "does not hold",
---  "could not run"), why, seconds, and what the run printed with --json
function catalogue.run(entries, options, observer)
  local side_by_side, alone, records = {}, {}, {}
  for i, entry in ipairs(entries) do
    local is_exclusive = entry.experiment and entry.experiment.exclusive
    table.insert(is_exclusive and alone or side_by_side, i)
  end
  local function run(i)
    observer.began(entries[i].name)
    local record, errors = run_one(entries[i], options)
    record.file = entries[i].file
    records[i] = record
    observer.ended(entries[i].name, errors)
  end
  each_of(side_by_side, options.jobs, run)
  each_of(alone, 1, run)
  return records
end

return catalogue
