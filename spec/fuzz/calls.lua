--- Finds every public call of lunet: the functions of the module, and the methods and metamethods of every result. A
--- call whose name `likely` knows gets likely arguments most of the time; all others get any.
local core = require "lunet.core"
local lunet = require "lunet"
local values = require "spec.fuzz.values"
local world = require "spec.fuzz.world"

local calls = {}

local random, chance, pick = math.random, world.chance, world.pick
local text, word, number = values.text, values.word, values.number
local callback, any = values.callback, values.any

-- Scripts do not call the core, and some of it acts on the process, its files and its output. These do not, and take
-- hosts and texts straight from their caller.
local OF_THE_CORE = {
  "host_listen", "host_connect", "link", "bridge", "attach", "unlink", "wire", "add_addresses", "add_route",
  "link_is_up", "answers_for", "is_address", "is_within", "is_host", "is_listener", "host_number", "queue_limit",
  "drop", "takes_rules", "events", "record", "refused", "versions",
}

-- A finalizer is out of scripts' reach: getmetatable of lunet's objects gives a name.
local NO_CALL = { __gc = true, __name = true, __metatable = true }

-- Calls that cost more than a millisecond come seldom.
local SELDOM = {
  host = 0.1, link = 0.2, lan = 0.2, exec = 0.2, wire = 0.2, bridge = 0.4, events = 0.2, nat = 0.3, synproxy = 0.3,
}

local HOST, LISTENER, CONNECTION -- the metatables

local function keep_first(object)
  world.keep(object)
  return debug.getmetatable(object)
end

local function host() return world.object(HOST) end
local function listener() return world.object(LISTENER) end
local function timeout() return pick { 0, 0.001, 0.002, nil } end
local function port() return random(1, 40) end
local function share() return pick { 0, 0.5, 1 } end
local function fates()
  return values.options({ delay = share, jitter = share, loss = share, to_bad = share, corrupt = share,
    duplicate = share, overtake = share, rate = port, capacity = port }, 0.2)
end
local function place() return pick { "127.0.0.1", "::1", "0.0.0.0", "10.0.0.1", "unix:s1" } end

local function target()
  if chance(0.3) then return listener() end
  if chance(0.2) then return text() end
  local first = chance(0.5) and listener() or nil
  local options = values.options({
    address = not first and place or nil, port = not first and port or nil, label = word,
    from = function() return "127.0.0.1" end,
  }, 0.2)
  rawset(options, 1, first)
  return options
end

local words = { "true", "false", "cat", "sleep", "none", "." }

local function program()
  local first = pick(words)
  local options = values.options({
    env = function() return values.options({ A = word, B = number }, 0.2) end,
    stdin = function() return pick { "pipe", "null" } end,
    stdout = function() return pick { "pipe", "null", "keep" } end,
    stderr = function() return pick { "pipe", "null", "stdout" } end, label = word,
  }, 0.1)
  rawset(options, 1, first)
  if first == "sleep" then rawset(options, 2, pick { "0", "0.01", "60" }) end
  return options
end

-- By the name of a function: its likely arguments.
local likely = {
  listen = function()
    return values.options({ address = place, port = function() return pick { 0, port() } end, label = word,
      backlog = function() return random(0, 5) end, }, 0.2)
  end,
  connect = function() return target(), timeout() end,
  exec = program,
  host = function() return pick { text(), values.options({ name = word }, 0.2) } end,
  link = function() return host(), host(), values.options({ delay = function() return 0.001 end }, 0.2) end,
  lan = function() return { host(), host() } end,
  drop = function()
    return values.options({
      port = port, flags = function() return pick { "SYN", "data", "any" } end, first = port,
      direction = function() return pick { "in", "out", "forward" } end, state = function() return "invalid" end,
    }, 0.1)
  end,
  nat = function()
    if chance(0.5) then return { source = true } end
    return values.options({ port = port, to = function() return "10.0.0.1" end, to_port = port }, 0.1)
  end,
  synproxy = function() return values.options({ port = port }, 0.1) end,
  sockets = function()
    return values.options({ state = function() return pick { "LISTEN", { "LISTEN", "TIME_WAIT" } } end, port = port,
      listener = listener, info = function() return true end, }, 0.2)
  end,
  destroy = function() return values.options({ port = port, listener = listener }, 0.2) end,
  set = function()
    return values.options({ nodelay = function() return chance(0.5) end, rcvbuf = number, user_timeout = share,
      congestion = function() return pick { "reno", text() } end,
      linger = function() return pick { 0, false } end }, 0.2)
  end,
  get = function() return pick { "rcvbuf", "linger", "congestion", "v6only", text() } end,
  send = function() return text(), timeout() end,
  receive = function() return pick { "l", "L", "a", nil, random(0, 100) }, timeout() end,
  accept = timeout, wait = timeout, join = timeout, lines = timeout,
  spawn = function() return callback(), any(), any() end,
  scope = function() return callback(), any() end,
  within = function() return pick { 0, 0.001 }, callback(), any() end,
  eventually = function() return callback(), timeout() end,
  together = function() return values.list(2), callback() end,
  serve = callback, note = text, sleep = timeout, traceback = any,
  kill = function() return pick { "SIGTERM", "SIGKILL", "SIGSTOP", 10 } end,
  gate = function() return random(0, 3) end,
  resize = function() return random(0, 5) end,
  sysctl = function() return "net.ipv4.tcp_syncookies", pick { nil, 0, 1 } end,
  watch = function() return pick { port(), "unix:s1", listener() }, pick { nil, 0.001, 0.01 } end,
  host_listen = function() return host(), values.options({ port = port, backlog = port }) end,
  host_connect = function() return host(), target(), timeout() end,
  capture = function() return host(), random(1, 100) end,
  events = function() return core.record(false) - random(100) end,
  segments = function() return random(0, 5) end,
  wire = function() return host(), "w1", fates(), host(), "w2", fates(), random(100) end,
  bridge = function() return host(), pick { "br0", "br1" } end,
  attach = function() return host(), "br0", "br1" end,
  unlink = function() return host(), pick { "br0", "br1" } end,
  link_is_up = function() return host(), "lo" end,
  add_addresses = function() return host(), "lo", "10.0.0." .. random(200) .. "/24" end,
  add_route = function() return host(), "10.7.0.0/16", "10.0.0." .. random(200) .. "/32" end,
  answers_for = function() return host(), "10.0.0.1" end,
}

local found, seen = {}, {}

local function add(name, fn, metatable)
  local base = name:match "[%w_]+$"
  table.insert(found, {
    name = name, fn = fn, metatable = metatable, likely = likely[base], weight = SELDOM[base] or 1, count = 0,
    succeeded = 0,
  })
end

local function sorted_functions(holder)
  local names = {}
  for name, value in pairs(holder) do
    if type(name) == "string" and type(value) == "function" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- Where fields are looked up besides, the methods are the first upvalue of the function that does it.
local function methods_of(metatable)
  local index = metatable.__index
  if type(index) == "function" and debug.getinfo(index, "S").what == "C" then
    index = select(2, debug.getupvalue(index, 1))
  end
  return type(index) == "table" and index or {}
end

local function is_ours(metatable)
  for _, value in pairs(metatable) do
    if type(value) == "function" then
      local about = debug.getinfo(value, "S")
      return about.what == "C" or about.short_src:find "/lunet/" ~= nil
    end
  end
  return false
end

--- Finds the methods of an object, if it is the first of its kind, and keeps it.
function calls.take(object)
  local metatable = debug.getmetatable(object)
  if object == nil or type(metatable) ~= "table" or type(object) == "string" or not is_ours(metatable) then return end
  if object ~= io.stderr and not seen[metatable] then
    seen[metatable] = true
    local kind = tostring(metatable.__name or "object")
    local methods = methods_of(metatable)
    for _, name in ipairs(sorted_functions(methods)) do add(kind .. ":" .. name, methods[name], metatable) end
    for _, name in ipairs(sorted_functions(metatable)) do
      if not NO_CALL[name] and methods ~= metatable then add(kind .. ":" .. name, metatable[name], metatable) end
    end
  end
  world.keep(object)
end

--- Finds the functions and objects of the beginning.
function calls.discover()
  local a, b = assert(lunet.host "a"), assert(lunet.host "b")
  local server = assert(lunet.listen { port = 0, backlog = 3 })
  HOST, LISTENER, CONNECTION = keep_first(a), keep_first(server), keep_first(assert(lunet.connect(server, 10)))
  for _, name in ipairs(sorted_functions(lunet)) do add("lunet." .. name, lunet[name]) end
  for _, name in ipairs(OF_THE_CORE) do add("core." .. name, core[name]) end
  local seldom = { lunet.link(a, b), lunet.exec { "true" }, a:drop { port = 7 }, a:capture(), lunet.spawn(lunet.now) }
  for _, object in ipairs { a, b, server, world.object(CONNECTION), table.unpack(seldom) } do calls.take(object) end
  for _, entry in ipairs(found) do -- each tells the names of its options
    for _, argument in ipairs { { unknown_option = 1 }, { "true", unknown_option = 1 } } do
      local _, message = pcall(entry.fn, entry.metatable and world.object(entry.metatable) or argument, argument)
      values.learn(message)
    end
  end
end

local function choose()
  while true do
    local entry = pick(found)
    if random() < entry.weight then return entry end
  end
end

local function arguments_of(entry)
  local packed = table.pack()
  if entry.likely and chance(0.8) then
    packed = table.pack(entry.likely())
  else
    packed.n = random(0, 4)
    for i = 1, packed.n do packed[i] = any() end
  end
  if chance(0.1) and packed.n > 0 then packed[random(packed.n)] = any() end
  if entry.metatable then
    table.insert(packed, 1, chance(0.95) and world.object(entry.metatable) or any())
    packed.n = packed.n + 1
  end
  return packed
end

--- Makes what every other call needs, if too few of the kind are open.
function calls.furnish()
  if chance(0.2) and world.count_open(HOST) < 2 then calls.take(lunet.host(chance(0.5) and "h" or nil)) end
  if world.count_open(LISTENER) < 2 then calls.take(lunet.listen { port = 0, backlog = 3 }) end
  if world.count_open(CONNECTION) > 3 then return end
  local from = listener()
  local near = lunet.connect(from, 0.01)
  if not near then return end
  calls.take(near)
  calls.take((from:accept(0.01)))
end

--- A call that can be made: its entry and arguments.
function calls.new()
  local entry = choose()
  entry.count = entry.count + 1
  return entry, arguments_of(entry)
end

local eager = false
function calls.be_eager() eager = true end

-- The arguments, which only the call holds from then on.
local function take_out(arguments)
  local function clear(...)
    for i = 1, arguments.n do
      if not world.in_main and chance(0.3) then world.forget(arguments[i]) end
      arguments[i] = nil
    end
    return ...
  end
  return clear(table.unpack(arguments, 1, arguments.n))
end

--- Makes it; in the eager mode the collector does a whole cycle whenever Lua allocates. Returns its results.
function calls.make(entry, arguments)
  if chance(0.1) then world.arm(world.act) end
  if eager then
    if chance(0.5) then world.arm(world.act) end
    collectgarbage("incremental", 1, 1000, 40)
  end
  local results = table.pack(pcall(entry.fn, take_out(arguments)))
  if eager then collectgarbage "generational" end
  if results[1] and results[2] then entry.succeeded = entry.succeeded + 1 end
  for i = 2, results.n do
    if results[i] ~= nil then calls.take(results[i]) end
  end
  return table.unpack(results, 1, results.n)
end

local depth = 0

--- One more within a callback.
function values.call()
  if depth > 1 then return true end
  depth = depth + 1
  local ok, result = pcall(calls.make, calls.new())
  depth = depth - 1
  return ok and result
end

function calls.found() return found end

return calls
