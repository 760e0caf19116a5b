--- The runs of a sweep's directory: DIR/runs/POINT-rN.json, the record of each. A record is written aside and renamed:
--- it is whole or not there, however lunet ends. The records are the truth, and nothing else says what is done.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local json = require "lunet.text.json"

local dkjson, lfs = dependency "dkjson", dependency "lfs"

local store = {}
store.__index = store

--- The most often that a run is tried.
store.ATTEMPTS = 3

-- The fields with which a record begins. They are found there without reading the rest.
local FIRST <const> = { "state", "attempt", "verdict", "point", "replicate", "seed", "identity", "started", "seconds",
  "cpu", "load", "lateness", "host", "format", "experiment", "claim", "why", "figures", "knobs", "outcome",
  "environment" }
local HEAD <const> = '^{%s*"state": ?"(%l+)",%s*"attempt": ?(%d+),%s*"verdict": ?"([%l ]+)"'
local HEAD_BYTES <const> = 100

local BUSY <const> = "another sweep is at work in it"

-- An own name for what this process writes aside, whatever other processes, on whatever machine, write there.
local function token()
  local file <close> = assert(io.open("/dev/urandom", "rb"))
  return ("%016x"):format((string.unpack("i8", file:read(8))))
end

--- Opens a directory of runs for reading.
---@param directory string
---@return lunet.store
function store.new(directory)
  return setmetatable({ directory = directory, aside = ("%s/runs/.%s"):format(directory, token()) }, store)
end

--- Makes the directory, unless it is there.
---@return true|nil
---@return string? message
function store:make()
  return core.make_directory(self.directory .. "/runs")
end

--- Locks the directory until the result is closed, or the process ends. Only one may hold it alone; those who hold it
--- together do single runs.
---@param alone boolean
---@return file*|nil lock
---@return string? message
function store:lock(alone)
  local path = self.directory .. "/lock"
  local file, message = io.open(path, "a+")
  if not file then return nil, message end
  if lfs.lock(file, alone and "w" or "r") then return file end
  file:close()
  return nil, ("%s: %s"):format(self.directory, BUSY)
end

--- Removes what processes that were killed have left aside. Only who holds the lock alone may call it.
function store:tidy()
  for name in lfs.dir(self.directory .. "/runs") do
    if name:find "^%.%x+$" then os.remove(self.directory .. "/runs/" .. name) end
  end
end

local function path_of(self, name) return ("%s/runs/%s.json"):format(self.directory, name) end

--- The state of a run.
---@param name string
---@return "done"|"invalid"|"failed"|"missing" state
---@return integer attempt how often it was tried
---@return string? verdict
function store:state(name)
  local file <close> = io.open(path_of(self, name), "rb")
  local state, attempt, verdict = (file and file:read(HEAD_BYTES) or ""):match(HEAD)
  return state or "missing", state and math.tointeger(tonumber(attempt)) or 0, verdict
end

-- A record's last field, which is most of it.
local ENVIRONMENT <const> = ',\n  "environment":'

local function decode(self, name, is_brief)
  local file <close>, message = io.open(path_of(self, name), "rb")
  if not file then return nil, message end
  local text = file:read "a" or ""
  local cut = is_brief and text:find(ENVIRONMENT, 1, true)
  local record = dkjson.decode(cut and text:sub(1, cut - 1) .. "}" or text)
  if type(record) == "table" then return record end
  return nil, path_of(self, name) .. ": this is no record"
end

--- The record of a run.
---@param name string
---@return table|nil record
---@return string? message
function store:read(name) return decode(self, name, false) end

--- The record of a run without its environment, in a third of the time.
---@param name string
---@return table|nil record
---@return string? message
function store:read_brief(name) return decode(self, name, true) end

local function write(path, text)
  local file <close>, message = io.open(path, "wb")
  if not file then return nil, message end
  local ok, why = file:write(text)
  if ok then ok, why = file:close() end
  return ok, not ok and ("%s: %s"):format(path, why) or nil
end

-- Takes a name that is free, or that an earlier attempt has which came to nothing.
local function take(self, name)
  local path = path_of(self, name)
  if lfs.link(self.aside, path) then
    os.remove(self.aside)
    return true
  end
  if self:state(name) ~= "done" then return os.rename(self.aside, path) end
  os.remove(self.aside)
  return nil, ("%s was done twice: the first record stays"):format(name), "EEXIST"
end

--- Adds the record of a run. That of a run that is done stays as it is.
---@param name string
---@param record table
---@return true|nil
---@return string? message
---@return string? code "EEXIST" if the run is done already
function store:add(name, record)
  local ok, message = write(self.aside, json.encode(record, FIRST) .. "\n")
  if ok then return take(self, name) end
  os.remove(self.aside)
  return nil, message
end

--- The names of all runs that have a record, in order.
---@return string[]
function store:names()
  local names = {}
  for file in lfs.dir(self.directory .. "/runs") do names[#names + 1] = file:match "^(%x+%-r%d+)%.json$" end
  table.sort(names)
  return names
end

return store
