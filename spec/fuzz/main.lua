--- Makes random calls: lunet spec/fuzz/main.lua SEED CALLS [eager]. Writes each of them to the file `calls` of the
--- current directory before it is made. Nothing it does leaves that directory and its own network namespaces.
local core = require "lunet.core"
local lunet = require "lunet"
local world = require "spec.fuzz.world"

local seed, count, mode = math.tointeger(arg[1]), math.tointeger(arg[2]), arg[3]
assert(seed and count, "usage: lunet spec/fuzz/main.lua SEED CALLS [eager]")
math.randomseed(seed)

-- A network of its own, in which a SYN that nobody answers is soon given up.
local home = assert(lunet.host { name = "home", sysctl = { ["net.ipv4.tcp_syn_retries"] = 1 } })
local away = assert(core.set_home(home))

local calls = require "spec.fuzz.calls"
if mode == "eager" then calls.be_eager() end

local log = assert(io.open("calls", "w"))

local function shown(value, depth)
  local kind = type(value)
  if kind == "string" then
    return #value > 40 and ("<%d bytes>"):format(#value) or (("%q"):format(value):gsub("\n", "n"))
  end
  if kind == "userdata" then return tostring(value) end
  if kind ~= "table" then return kind == "function" and kind or tostring(value) end
  if depth > 2 then return "{...}" end
  local parts = {}
  for key, field in next, value do
    parts[#parts + 1] = ("[%s]=%s"):format(shown(key, depth + 1), shown(field, depth + 1))
  end
  return (getmetatable(value) and "disturbing" or "") .. "{" .. table.concat(parts, ",") .. "}"
end

local function write_down(number, how, entry, arguments)
  local parts = {}
  for i = 1, arguments.n do parts[i] = shown(arguments[i], 1) end
  log:write(number, " ", how, " ", entry.name, "(", table.concat(parts, ", "), ")\n")
  log:flush()
end

local waiting = {} -- tasks whose calls have not ended yet
local MOST_WAITING = 25
local GOES_ON = "a canceled task goes on"

local function in_task(entry, arguments)
  local task = lunet.spawn(function()
    if world.chance(0.1) then world.keep_coroutine() end
    calls.make(entry, arguments)
  end)
  if not task:join(world.chance(0.5) and 0.001 or 0) then table.insert(waiting, task) end
  if #waiting > MOST_WAITING then
    local oldest = table.remove(waiting, 1)
    oldest:cancel()
    assert(select(3, oldest:join(20)) ~= "TIMEOUT", GOES_ON)
  end
end

local LONGEST <const> = 1 -- s

-- A task has to end what waits there without limit. Closing everything does not end a sleep, or a serve whose listener
-- is among the objects no more; the error of a task that nobody joins does.
local function in_main(entry, arguments)
  local _reaper <close> = lunet.spawn(function()
    local ends = lunet.now() + LONGEST
    while lunet.now() < ends do
      lunet.sleep(0.005)
      world.close_all()
    end
    error("fuzz: the main thread has waited long enough", 0)
  end)
  calls.make(entry, arguments)
  world.in_main = false
end

local function in_coroutine(entry, arguments)
  coroutine.wrap(calls.make)(entry, arguments)
end

local function in_finalizer(entry, arguments)
  setmetatable({}, { __gc = function() calls.make(entry, arguments) end })
  collectgarbage()
end

local ways = {
  { 0.85, "task", in_task }, { 0.95, "main", in_main }, { 0.98, "coroutine", in_coroutine },
  { 1, "finalizer", in_finalizer },
}

local MOST_ERRORS = 100 -- of tasks that nobody joined, which come to whoever waits next

local function new_call()
  for _ = 1, MOST_ERRORS do
    local ok, entry, arguments = pcall(calls.new)
    if ok then return entry, arguments end
  end
  error "there is no call to make"
end

local function call_one(number)
  local share = math.random()
  for _, way in ipairs(ways) do
    if share < way[1] then
      world.in_main = way[2] == "main"
      local entry, arguments = new_call()
      write_down(number, way[2], entry, arguments)
      way[3](entry, arguments)
      return
    end
  end
end

local THE_END = "all calls are made"

-- The scope ends by an error, and so cancels what still runs.
local _, message = pcall(lunet.scope, function()
  calls.discover()
  for number = 1, count do
    if number % 10 == 1 then pcall(calls.furnish) end
    local ok, message = pcall(call_one, number) -- the errors of tasks that nobody joins come here
    world.in_main = false
    if not ok and message == GOES_ON then error(message, 0) end
  end
  error(THE_END, 0)
end)
if message ~= THE_END then error(message, 0) end
world.close_all() -- what the libraries and the finalizers made outside of the scope
world.objects, world.coroutines, waiting = {}, {}, {}
collectgarbage()
collectgarbage()
assert(core.set_home(away))
home:close()
local open = lunet.open_handles()
if #open > 0 then error("left open: " .. table.concat(open, ", "), 0) end

local coverage = assert(io.open("coverage", "w"))
for _, entry in ipairs(calls.found()) do coverage:write(entry.count, " ", entry.succeeded, " ", entry.name, "\n") end
coverage:close()
