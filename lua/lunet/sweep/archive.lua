--- A sweep packed into one file (tar, gzip), as the artefact of a paper: its plan, records and report, the script with
--- the modules and files that it needs, and how to repeat it. The same sweep makes the same bytes.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local identity = require "lunet.sweep.identity"
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local scratch = require "lunet.peer.scratch"
local script = require "lunet.sweep.script"
local shell = require "lunet.text.shell"

local lfs = dependency "lfs"

local archive = {}

local PROGRAMS <const> = { tar = "tar", gzip = "gzip" }
local PARTS <const> = { "plan.json", "runs", "results.csv", "summary.csv", "report.html" }

-- -- what is refused ---------------------------------------------------------------------------

-- Whether a file that may be missing lies in a directory, by whatever names.
local function is_inside(path, directory)
  local own, at, above = core.file_identity(directory), nil, path:match "^(.*)/" or "."
  if above == "" then above = "/" end
  while true do
    local here = core.file_identity(above)
    if here == own then return true end
    if not here or here == at then return false end
    at, above = here, above .. "/.."
  end
end

-- The script's files, if they are those that the latest runs were done with; or nil and why not.
local function files_of(plan)
  local own = script.new(plan.script)
  local experiment, message = own:load()
  if not experiment then return nil, message end
  local files, last = own:files(), plan.identities[#plan.identities]
  local now = identity.of(files)
  now.lunet, now.kernel = last.lunet, last.kernel -- an archive may be made elsewhere
  local difference = identity.difference(last, now)
  return not difference and files or nil, difference
end

--- Finds what goes into an archive, and whether it can be written. Writes nothing.
---@param opened lunet.sweep_directory
---@param path string the archive
---@return table<string, string>|nil files of the script, by what they are (lunet.sweep.script)
---@return string? message
---@return boolean? is_misuse whether the command line is wrong
function archive.check(opened, path)
  local here, missing = needs.find(PROGRAMS)
  if not here then return nil, missing end
  local former, message = core.can_replace_file(path)
  if not former then return nil, message end
  if is_inside(path, opened.path) then
    return nil, ("%s is in %s itself, which it would hold"):format(path, opened.path), true
  end
  local files, why = files_of(opened.plan)
  if not files then return nil, ("%s: %s"):format(opened.path, why) end
  for what, file in pairs(files) do
    if core.file_identity(file) == core.file_identity(path) then
      return nil, ("%s is the %s of the sweep"):format(path, what), true
    end
    if what:find "^file .*%.%./" then return nil, ("the %s lies above the script"):format(what) end
  end
  return files
end

-- -- what goes in ----------------------------------------------------------------------------------

-- Where a file of the script goes: modules where `require` finds them from the script's directory, other files beside
-- the one that names them.
local function places_of(files)
  local places, folders = {}, { [files.script:match "^(.*/)" or ""] = "" }
  places.script = files.script:match "[^/]+$"
  for what, path in pairs(files) do
    local name = what:match "^module (.*)"
    if name then
      places[what] = name:gsub("%.", "/") .. (path:match "/init%.lua$" or path:match "%.%w+$")
      folders[path:match "^(.*/)" or ""] = places[what]:match "^(.*/)" or ""
    end
  end
  for what, path in pairs(files) do
    local name = what:match "^file (.*)"
    if name then places[what] = (folders[path:sub(1, -#name - 1)] or "") .. name end
  end
  return places
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local REPEAT <const> = [[

## Repeat it

`script/` has the script of identity %d, with the modules and files that it names. To do all runs again, with lunet:

    cd script
%s

`lunet sweep --report .` in this directory writes the tables and figures anew, of the records in `runs/`.
]]

-- Whether a word is an option whose value follows; or the whole of it.
local function drops(word)
  if word == "--into" then return 2 end
  return (word == "--mix" or word:find "^%-%-into=") and 1 or 0
end

-- The command lines of the sweep, for the directory of the script.
local function commands_text(plan, name)
  local lines = {}
  for i, arguments in ipairs(plan.commands) do
    local words, at = { "lunet", "sweep", name }, 1
    while at <= #arguments do
      local dropped = drops(arguments[at])
      if dropped == 0 then words[#words + 1] = arguments[at] end
      at = at + math.max(dropped, 1)
    end
    table.move({ "--into", "../again" }, 1, 2, #words + 1, words)
    lines[i] = "    " .. shell.line(words)
  end
  return table.concat(lines, "\n")
end

-- Links and copies what goes in, as tar packs it.
local function stage(opened, place, name, files)
  local plan, places = opened.plan, places_of(files)
  for what, path in pairs(files) do place:write(("%s/script/%s"):format(name, places[what]), read(path)) end
  local text = read(opened.path .. "/README.md")
  place:write(name .. "/README.md", text .. REPEAT:format(#plan.identities, commands_text(plan, places.script)))
  local home = opened.path:sub(1, 1) == "/" and opened.path or lfs.currentdir() .. "/" .. opened.path
  local parts = table.move(PARTS, 1, #PARTS, 1, {})
  for entry in lfs.dir(opened.path) do
    if entry:find "^figure%-" or entry == "timelines" or entry == "differences.csv" then parts[#parts + 1] = entry end
  end
  for _, part in ipairs(parts) do
    assert(lfs.link(home .. "/" .. part, ("%s/%s/%s"):format(place.path, name, part), true))
  end
end

-- All files get one time, whenever they were written or copied.
local function pack(place, name, time)
  local process <close> = assert(lunet.exec { "tar", "--create", "--directory", place.path, "--dereference",
    "--exclude=runs/.*", "--sort=name", "--mtime=@" .. time, "--owner=0", "--group=0", "--numeric-owner",
    "--mode=u=rwX,go=rX", "--format=gnu", "--use-compress-program=gzip -n", "--", name,
    stderr = "pipe", env = { LC_ALL = "C", TAR_OPTIONS = false, GZIP = false } })
  local texts = lunet.together({ process.stdout, process.stderr }, function(stream) return stream:receive "a" or "" end)
  local status = process:wait()
  if status == 0 then return texts[1] end
  return nil, ("tar: %s"):format(texts[2]:match "[^\n]+" or status)
end

--- Packs the directory, whose report is written, and writes the archive: whole or not at all. Waits.
---@param opened lunet.sweep_directory
---@param path string
---@param files table<string, string> from check
---@return true|nil
---@return string? message
function archive.write(opened, path, files)
  local place <close> = scratch.open()
  local name = path:match "[^/]+$":gsub("%.tgz$", ""):gsub("%.tar%.gz$", "")
  if name:find "^%.*$" then name = "sweep" end
  stage(opened, place, name, files)
  local bytes, message = pack(place, name, opened:began())
  if not bytes then return nil, message end
  return core.replace_file(path, bytes)
end

return archive
