--- The runs of a sweep's directory: DIR/runs/POINT-rN.json, the record of each. A record is written aside and renamed:
--- it is whole or not there, however lunet ends. The records are the truth, and nothing else says what is done.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local json = require "lunet.text.json"

local lfs = dependency "lfs"

---@class lunet.store
---@field directory string
---@field aside string where a record is written before it has its name
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

-- The messages of lfs.lock when another process holds the lock (fcntl(2), F_SETLK: EAGAIN or EACCES). With others there
-- is no lock: some file systems of clusters have none.
local HELD <const> = { ["Resource temporarily unavailable"] = true, ["Permission denied"] = true }

local ENOENT <const> = 2

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
  local ok, why = lfs.lock(file, alone and "w" or "r")
  if ok then return file end
  file:close()
  return nil, ("%s: %s"):format(self.directory, HELD[why] and "another sweep is at work in it"
    or "it cannot be locked: " .. why)
end

--- Removes what processes that were killed have left aside. Only who holds the lock alone may call it.
function store:tidy()
  for name in lfs.dir(self.directory .. "/runs") do
    if name:find "^%.%x+$" then os.remove(self.directory .. "/runs/" .. name) end
  end
end

local function path_of(self, name) return ("%s/runs/%s.json"):format(self.directory, name) end

local function state_of(file)
  local state, attempt, verdict = (file and file:read(HEAD_BYTES) or ""):match(HEAD)
  return state or "missing", state and math.tointeger(tonumber(attempt)) or 0, verdict
end

--- The state of a run.
---@param name string
---@return "done"|"invalid"|"failed"|"missing" state
---@return integer attempt how often it was tried
---@return string? verdict
function store:state(name)
  local file <close> = io.open(path_of(self, name), "rb")
  return state_of(file)
end

-- A record's last field, which is most of it.
local ENVIRONMENT <const> = ',\n  "environment":'

local function text_of(self, name)
  local file <close>, message, number = io.open(path_of(self, name), "rb")
  if file then return file:read "a" or "" end
  return nil, message, number
end

local function decode(self, name, text)
  local record = json.decode(text)
  if type(record) == "table" then return record end
  return nil, path_of(self, name) .. ": this is no record"
end

--- The record of a run.
---@param name string
---@return table|nil record
---@return string? message
function store:read(name)
  local text, message = text_of(self, name)
  if not text then return nil, message end
  return decode(self, name, text)
end

--- The record of a run without its environment, in a third of the time.
---@param name string
---@return table|nil record nil without a message if the run is missing
---@return string? message
function store:read_brief(name)
  local text, message, number = text_of(self, name)
  if not text then return nil, number ~= ENOENT and message or nil end
  if not text:find(HEAD) then return nil end
  local cut = text:find(ENVIRONMENT, 1, true)
  return decode(self, name, cut and text:sub(1, cut - 1) .. "}" or text)
end

local function write(path, text)
  local file <close>, message = io.open(path, "wb")
  if not file then return nil, message end
  local ok, why = file:write(text)
  if ok then ok, why = file:close() end
  return ok, not ok and ("%s: %s"):format(path, why) or nil
end

-- Takes away the record of an attempt that came to nothing, but never one of a run that is done: another process may
-- put it there at any moment.
local function clear(self, name)
  local path, former = path_of(self, name), self.aside .. "f"
  if self:state(name) == "done" or not os.rename(path, former) then return end
  local file <close> = io.open(former, "rb")
  if state_of(file) == "done" then lfs.link(former, path) end
  os.remove(former)
end

-- Takes a name that is free, or that an earlier attempt has which came to nothing.
local function take(self, name)
  local path = path_of(self, name)
  local linked = lfs.link(self.aside, path)
  if not linked then
    clear(self, name)
    linked = lfs.link(self.aside, path)
  end
  -- Not every file system has links.
  if not linked and self:state(name) ~= "done" then return os.rename(self.aside, path) end
  os.remove(self.aside)
  if linked then return true end
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
