--- The timelines of single runs of a sweep, as `lunet FILE --timeline` tells them: DIR/timelines/POINT-rN.txt. A sweep
--- does not record its runs, so these are repeated with the same knobs and seed. A run that is repeated is another run.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local lunet = require "lunet"
local verdict = require "lunet.run.verdict"

local lfs = dependency "lfs"

local timelines = {}

--- The most runs that a sweep repeats.
timelines.MOST = 6

local FIRST_LINES <const>, LAST_LINES <const> = 150, 50 -- of one that is too long to show
local LONG <const> = 5 -- s; bounds waits for what does come

local function place_of(opened) return opened.path .. "/timelines" end

local function path_of(opened, name) return ("%s/%s.txt"):format(place_of(opened), name) end

-- Removes the timelines of other runs than these.
local function tidy(opened, wanted)
  if lfs.attributes(place_of(opened), "mode") ~= "directory" then return end
  for file in lfs.dir(place_of(opened)) do
    local name = file:match "^(%x+%-r%d+)%.txt$"
    if name and not wanted[name] then os.remove(path_of(opened, name)) end
  end
end

-- The exit statuses of a run that tells something.
local TELLING <const> = {}
for name, status in pairs(verdict.statuses) do TELLING[status] = name ~= "could not run" end

-- Returns what a program prints, its exit status, and its first complaint.
local function listen_to(words)
  local process <close> = assert(lunet.exec(words))
  local said = process.stdout:receive "a"
  local status = process:wait(LONG)
  return said or "", status, (process.stderr:receive(nil, LONG) or ""):match "[^\n]+"
end

-- Repeats a run; nil, or why it has no timeline.
local function make(opened, run, how)
  local words = table.move(how.command, 1, #how.command, 1, { stderr = "keep", env = { LC_ALL = "C.UTF-8" } })
  local its = opened.plan:words(run)
  table.move(its, 1, #its, #words + 1, words)
  words[#words + 1] = "--timeline"
  local in_time, said, status, complaint = lunet.within(how.timeout, listen_to, words)
  if not in_time then return ("not over after %g s"):format(how.timeout) end
  if not TELLING[status] then return complaint or ("its exit status is %s"):format(status) end
  local ok, message = core.replace_file(path_of(opened, run.name), said)
  return not ok and message or nil
end

-- Those of the runs whose timeline is not there yet, and that would be done now as they were.
local function missing(opened, rows)
  local names, wanted, absent = {}, {}, {}
  for _, row in ipairs(rows) do
    local name = ("%s-r%d"):format(row.record.point, row.record.replicate)
    local is_there = wanted[name] or lfs.attributes(path_of(opened, name), "mode") ~= nil
    wanted[name] = true
    if not is_there then absent[#absent + 1] = { name = name, identity = row.record.identity } end
  end
  tidy(opened, wanted)
  if #absent == 0 then return names end
  local identity = opened:identity() -- which loads the script, and reads all of lunet
  for _, run in ipairs(absent) do
    if #names < timelines.MOST and run.identity == identity then names[#names + 1] = run.name end
  end
  return names
end

--- Makes the timelines of runs that have none yet, and removes those of other runs. Waits.
---@param opened lunet.sweep_directory
---@param rows lunet.results_row[] of the runs
---@param how lunet.runner_options
---@return string[] notes why some could not be made
function timelines.keep(opened, rows, how)
  local names, notes = missing(opened, rows), {}
  if #names == 0 then return notes end
  how.say(("note: repeats %d run%s with recording, for report.html"):format(#names, #names == 1 and "" or "s"))
  local ok, message = core.make_directory(place_of(opened))
  if not ok then return { "no timeline is kept: " .. message } end
  local function keep(name)
    local why = make(opened, opened.plan:find(name), how)
    if why then notes[#notes + 1] = ("the run %s could not be repeated: %s"):format(name, why) end
  end
  if not opened.plan.exclusive then lunet.together(names, keep) else for _, name in ipairs(names) do keep(name) end end
  return notes
end

--- The timeline of a run, without its middle if it is long.
---@param opened lunet.sweep_directory
---@param name string of the run
---@return string|nil text nil if it has none
function timelines.read(opened, name)
  local file <close> = io.open(path_of(opened, name), "rb")
  if not file then return nil end
  local lines = {}
  for line in file:lines() do lines[#lines + 1] = line end
  local left_out = #lines - FIRST_LINES - LAST_LINES
  if left_out <= 0 then return table.concat(lines, "\n") end
  return ("%s\n\n... %d more lines are in timelines/%s.txt ...\n\n%s"):format(table.concat(lines, "\n", 1, FIRST_LINES),
    left_out, name, table.concat(lines, "\n", #lines - LAST_LINES + 1))
end

return timelines
