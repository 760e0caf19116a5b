--- A catalogue: the experiments of a directory and its folders. Each runs in a process of its own, several at a time.
local interrupt = require "lunet.text.interrupt"
local dependency = require "lunet.text.dependency"
local exclusive = require "lunet.run.exclusive"
local lunet = require "lunet"
local run_record = require "lunet.run.record"
local run = require "lunet.run.run"
local unrun = require "lunet.run.unrun"
local scratch = require "lunet.peer.scratch"
local verdict = require "lunet.run.verdict"

local dkjson, lfs = dependency "dkjson", dependency "lfs"

local catalogue = {}

-- -- finding them ---------------------------------------------------------------------------

--- Adds the paths of a folder's Lua files to a list, then those of its folders. Follows links to files, but not to
--- folders; leaves out names that begin with a dot, and busted's specs, which need busted. Or nil and why not: the
--- caller names the directory.
local function add_paths(paths, directory, folder)
  local ok, next_name, listing = pcall(lfs.dir, directory .. "/" .. folder)
  if not ok then return nil, (next_name:gsub("^cannot open .*: ", folder == "" and "" or folder .. ": ")) end
  local names, folders = {}, {}
  for name in next_name, listing do
    local path = directory .. "/" .. folder .. name
    local is_script = name:find "^[^.].*%.lua$" and not name:find "_spec%.lua$"
    if is_script and lfs.attributes(path, "mode") == "file" then
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

local function is_experiment(result)
  return type(result) == "table" and rawget(result, "kind") == "lunet.experiment"
end

--- Loads the experiment of a file.
---@param file string
---@return table|nil experiment nil if the file has a mistake, or returns something else
function catalogue.experiment(file)
  local result = result_of(file)
  return is_experiment(result) and result or nil
end

--- Loads the experiments of a directory and its folders. A file with a mistake is an entry, too, with the reason why it
--- cannot run. A file that returns something else is no entry.
---@param directory string
---@return {name: string, file: string, experiment: table?, why: string?}[]|nil entries by name, first the directory,
--- then each folder
---@return string[]|string others the files that return no experiment; or why there are no entries
function catalogue.load(directory)
  local paths, message = add_paths({}, directory, "")
  if not paths then return nil, message end
  local entries, others = {}, {}
  for _, path in ipairs(paths) do
    local file = directory:gsub("/*$", "/") .. path
    local result, why = result_of(file)
    if is_experiment(result) or why then
      entries[#entries + 1] = { name = run.name_of(path), file = file, experiment = result, why = why }
    else
      others[#others + 1] = file
    end
  end
  return entries, others
end

-- -- running one ----------------------------------------------------------------------------

--- Executes a run. Returns its output, its complaints and its status, which is a signal's name if one killed it. A
--- killed run leaves its temporary files in `directory`: the remover of its files dies with it. The grace is for the
--- process that lets its hosts' namespaces end (core/platform/undertaker.h).
local function execute(words, file, level, directory)
  local program = table.move(words, 1, #words, 1, { stderr = "pipe", env = { TMPDIR = directory }, grace = 1 })
  table.move({ file, "--json", level and "--record", level }, 1, 4, #program + 1, program)
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

--- The record of a run: its printed one, if the verdict there agrees with the exit status.
local function record_of(entry, ended)
  local printed = dkjson.decode(ended.output)
  local is_record = type(printed) == "table" and printed.format == run_record.FORMAT
  if is_record and verdict.statuses[printed.verdict] == ended.status then return printed end
  return failed(entry, ending_of(ended.status, is_record))
end

-- The wait for the lock does not count as time of an exclusive run: the process of the run finds it held.
local function run_one(entry, options, directory, say)
  if not entry.experiment then
    return failed(entry, entry.why), ("lunet: %s could not run: %s\n"):format(entry.name, entry.why)
  end
  local _alone <close> = entry.experiment.exclusive and exclusive.enter(say) or nil
  local started = lunet.now()
  local in_time, ended = lunet.within(options.timeout, execute, options.command, entry.file, options.record, directory)
  local record = in_time and record_of(entry, ended) or failed(entry, ("not over after %g s"):format(options.timeout))
  record.seconds = lunet.now() - started
  return record, in_time and ended.errors or ""
end

-- -- running all ----------------------------------------------------------------------------

--- Calls fn for each item, for so many at a time.
local function each_of(items, jobs, fn)
  local at = 0
  lunet.together(table.move(items, 1, math.min(jobs, #items), 1, {}), function()
    while at < #items do
      at = at + 1
      fn(items[at])
    end
  end)
end

--- Runs all experiments; exclusive ones run last, one at a time. Waits.
---@param entries table[] from catalogue.load
---@param options {command: string[], jobs: integer, timeout: number, record: lunet.record_level?} the words that
---  start lunet, how many run at a time, the seconds for each, and the level of recording, if not the default
---@param observer {began: fun(name: string), ended: fun(name: string, errors: string), say: fun(words: string)?}
---  errors: its complaints; say: whom an exclusive run waits for
---@return table[] records in the order of the entries: that of each run (lunet.run.record), with its file and its
---  seconds
function catalogue.run(entries, options, observer)
  local directory <close> = scratch.open()
  local side_by_side, alone, records = {}, {}, {}
  for i, entry in ipairs(entries) do
    local is_exclusive = entry.experiment and entry.experiment.exclusive
    table.insert(is_exclusive and alone or side_by_side, i)
  end
  local function run_entry(i)
    observer.began(entries[i].name)
    local record, errors = run_one(entries[i], options, directory.path, observer.say)
    record.file = entries[i].file
    records[i] = record
    observer.ended(entries[i].name, errors)
  end
  each_of(side_by_side, options.jobs, run_entry)
  each_of(alone, 1, run_entry)
  return records
end

return catalogue
