--- A catalogue: the experiments of a directory and its folders. Each runs in a process of its own, several at a time.
local interrupt = require "lunet.text.interrupt"
local dependency = require "lunet.text.dependency"
local lunet = require "lunet"
local run_record = require "lunet.run.record"
local run = require "lunet.run.run"
local unrun = require "lunet.run.unrun"
local scratch = require "lunet.peer.scratch"
local verdict = require "lunet.run.verdict"

local dkjson, lfs = dependency "dkjson", dependency "lfs"

local catalogue = {}

-- -- finding them ---------------------------------------------------------------------------

--- Adds the paths of a folder's Lua files to a list, and those of the folders in it after them. A link to a file is a
--- file, one to a folder is not followed; names that begin with a dot are left out. Or nil and why not:
--- the caller names the directory.
local function add_paths(paths, directory, folder)
  local ok, next_name, listing = pcall(lfs.dir, directory .. "/" .. folder)
  if not ok then return nil, (next_name:gsub("^cannot open .*: ", folder == "" and "" or folder .. ": ")) end
  local names, folders = {}, {}
  for name in next_name, listing do
    local path = directory .. "/" .. folder .. name
    if name:find "^[^.].*%.lua$" and lfs.attributes(path, "mode") == "file" then
      names[#names + 1] = name
    elseif name:find "^[^.]" and lfs.symlinkattributes(path, "mode") == "directory" then
      folders[#folders + 1] = name
    end
  end
  table.sort(names)
  table.sort(folders)
  for _, name in ipairs(names) do paths[#paths + 1] = folder .. name end
  for _, name in ipairs(folders) do
    local added, why = add_paths(paths, directory, folder .. name .. "/")
    if not added then return nil, why end
  end
  return paths
end

--- The result of a file; or nil and why the file has none.
local function result_of(file)
  local chunk, message = loadfile(file)
  if not chunk then return nil, message end
  local ok, result = interrupt.pcall(chunk)
  if not ok then return nil, tostring(result) end
  return result, result == nil and unrun.complaint(file) or nil
end

--- Loads the experiments of a directory and its folders. A file with a mistake is an entry, too, with why it cannot be
--- run; one that returns something else is none.
---@param directory string
---@return {name: string, file: string, experiment: table?, why: string?}[]|nil entries those of the directory by name,
--- then those of each folder
---@return string[]|string others the files that return no experiment; or why there are no entries
function catalogue.load(directory)
  local paths, message = add_paths({}, directory, "")
  if not paths then return nil, message end
  local entries, others = {}, {}
  for _, path in ipairs(paths) do
    local file = directory:gsub("/*$", "/") .. path
    local result, why = result_of(file)
    local is_experiment = type(result) == "table" and rawget(result, "kind") == "lunet.experiment"
    if is_experiment or why then
      entries[#entries + 1] = { name = run.name_of(path), file = file, experiment = result, why = why }
    else
      others[#others + 1] = file
    end
  end
  return entries, others
end

-- -- running one ----------------------------------------------------------------------------

--- What a run said, and its status, which is a signal's name if one killed it. Its temporary files are in `place`: a
--- run that is killed cannot remove them, since what would have done it is killed with it.
--- The grace is for the process that lets its hosts' namespaces end (core/platform/undertaker.h).
local function execute(words, file, record, place)
  local program = table.move(words, 1, #words, 1, { stderr = "pipe", env = { TMPDIR = place.path }, grace = 1 })
  table.move({ file, "--json", record and "--record", record }, 1, 4, #program + 1, program)
  local process <close> = assert(lunet.exec(program))
  local texts = lunet.together({ process.stdout, process.stderr }, function(stream) return stream:receive "a" or "" end)
  return { output = texts[1], errors = texts[2], status = assert(process:wait()) }
end

local function ending_of(status, has_record)
  if type(status) == "string" then return "killed by " .. status end
  return ("ended with status %d, and printed %s"):format(status, has_record and "another verdict" or "no record")
end

local function failed(entry, why)
  return run.of({ name = entry.name, claim = entry.experiment and entry.experiment.claim }):fail(why):record()
end

--- The record of a run: the one that it printed itself, if that has the verdict that it ended with.
local function record_of(entry, ended)
  local printed = dkjson.decode(ended.output)
  local is_record = type(printed) == "table" and printed.format == run_record.FORMAT
  if is_record and verdict.statuses[printed.verdict] == ended.status then return printed end
  return failed(entry, ending_of(ended.status, is_record))
end

local function run_one(entry, options, place)
  if not entry.experiment then
    return failed(entry, entry.why), ("lunet: %s could not run: %s\n"):format(entry.name, entry.why)
  end
  local started = lunet.now()
  local in_time, ended = lunet.within(options.timeout, execute, options.command, entry.file, options.record, place)
  local record = in_time and record_of(entry, ended) or failed(entry, ("not over after %g s"):format(options.timeout))
  record.seconds = lunet.now() - started
  return record, in_time and ended.errors or ""
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
---@return table[] records in the order of the entries: that of each run (lunet.run.record), and its file and its
---  seconds
function catalogue.run(entries, options, observer)
  local place <close> = scratch.open()
  local side_by_side, alone, records = {}, {}, {}
  for i, entry in ipairs(entries) do
    local is_exclusive = entry.experiment and entry.experiment.exclusive
    table.insert(is_exclusive and alone or side_by_side, i)
  end
  local function run_entry(i)
    observer.began(entries[i].name)
    local record, errors = run_one(entries[i], options, place)
    record.file = entries[i].file
    records[i] = record
    observer.ended(entries[i].name, errors)
  end
  each_of(side_by_side, options.jobs, run_entry)
  each_of(alone, 1, run_entry)
  return records
end

return catalogue
