--- The world that fuzzed calls share: the open and closed objects that earlier calls returned, and acts that disturb a
--- call from within its metamethods, finalizers and callbacks.
local core = require "lunet.core"
local lunet = require "lunet"

local world = {
  objects = {}, -- at most MOST; the home host is not among them
  coroutines = {}, -- of tasks, which scripts can get by coroutine.running
  in_main = false, -- the present call is made on the main thread: nothing may make it wait without bound
}

local MOST, MOST_HOSTS, MOST_COROUTINES = 40, 5, 8

local random = math.random

local function chance(share) return random() < share end
world.chance = chance

function world.pick(list) return list[random(#list)] end

local function close(object)
  local metatable = debug.getmetatable(object)
  local closing = metatable and metatable.__close
  if closing then pcall(closing, object) end
end

local function drop_one_of(objects, at)
  local object = table.remove(objects, at)
  -- The others are left to the collector; but what the main thread waits on must stay within reach.
  if world.in_main or chance(0.5) then close(object) end
end

-- Hosts cost more than all the rest.
local function bound_hosts()
  local hosts, first = 0, nil
  for at, object in ipairs(world.objects) do
    if core.is_host(object) then
      hosts = hosts + 1
      first = first or at
    end
  end
  if hosts > MOST_HOSTS then drop_one_of(world.objects, first) end
end

local function is_closed(object) return tostring(object):find("(closed)", 1, true) ~= nil end

-- The closed ones go first, but some of them stay: calls are to meet them.
local function drop_one()
  local objects, at = world.objects, random(#world.objects)
  for _ = 1, 5 do
    if is_closed(objects[at]) then break end
    at = random(#objects)
  end
  drop_one_of(objects, at)
end

--- Keeps what a call gave for later calls.
function world.keep(object)
  local kind = type(object)
  local is_object = kind == "userdata" or kind == "table" and getmetatable(object) ~= nil
  if not is_object then return end
  table.insert(world.objects, random(#world.objects + 1), object)
  if #world.objects > MOST then drop_one() end
  bound_hosts()
end

local function find(metatable, must_be_open)
  local objects = world.objects
  if #objects == 0 then return nil end
  local first = random(#objects)
  for i = 0, #objects - 1 do
    local object = objects[(first + i - 1) % #objects + 1]
    local is_wanted = metatable == nil or debug.getmetatable(object) == metatable
    if is_wanted and not (must_be_open and is_closed(object)) then return object end
  end
  return nil
end

--- An object, of one metatable if it is given, and mostly an open one; nil if there is none.
function world.object(metatable)
  local object = chance(0.8) and find(metatable, true) or nil
  return object or find(metatable, false)
end

--- How many of them are open.
function world.count_open(metatable)
  local count = 0
  for _, object in ipairs(world.objects) do
    if debug.getmetatable(object) == metatable and not is_closed(object) then count = count + 1 end
  end
  return count
end

function world.keep_coroutine()
  local co, is_main = coroutine.running()
  if is_main then return end
  table.insert(world.coroutines, co)
  if #world.coroutines > MOST_COROUTINES then table.remove(world.coroutines, 1) end
end

--- Forgets an object without closing it: it may be garbage.
function world.forget(object)
  for at, kept in ipairs(world.objects) do
    if rawequal(kept, object) then return table.remove(world.objects, at) end
  end
end

--- Has something done when the collector runs next.
function world.arm(act)
  setmetatable({}, { __gc = act })
end

local arm = world.arm

local acts = {
  function() collectgarbage() end,
  function() collectgarbage "step" end,
  function() error "fuzz: an error" end,
  function() error { "fuzz: an error object" } end,
  function() error(nil) end,
  function() close(world.object()) end,
  function()
    drop_one_of(world.objects, 1)
    collectgarbage()
  end,
  function() lunet.note(("n"):rep(random(100))) end,
  function() lunet.open_handles() end,
  function() core.events(0) end,
  function() world.keep(lunet.spawn(lunet.sleep, 0)) end,
  function() coroutine.yield(1, 2) end,
  function() lunet.sleep(0) end,
  function()
    local co = world.pick(world.coroutines)
    if co and co ~= coroutine.running() then coroutine.close(co) end
  end,
  function()
    local co = world.pick(world.coroutines)
    if co then coroutine.resume(co, 1, nil, "x") end
  end,
  function() arm(function() close(world.object()) end) end,
  function() arm(function() lunet.note "finalized" end) end,
  function() arm(function() error "fuzz: an error of a finalizer" end) end,
  function()
    local other = world.object()
    return other and tostring(other)
  end,
}

--- Does something that a call does not expect from its arguments.
function world.act() return world.pick(acts)() end

--- Closes all there is, so that whoever waits on it ends.
function world.close_all()
  for _, object in ipairs(world.objects) do close(object) end
end

return world
