--- Values of every type for fuzzed calls: plain ones, objects, callbacks, and tables whose fields come from the names
--- that lunet itself tells ("known: ..."), some with metamethods that disturb the call.
local lunet = require "lunet"
local world = require "spec.fuzz.world"

local values = {}

local random, chance, pick = math.random, world.chance, world.pick

-- No path in them leaves the current directory: a call that writes or removes files does so in there.
local texts = {
  "", "x", "a\0b", "\xff\xfe", "\27[2J", "%s%n", ("y"):rep(300), ("z"):rep(70000), ("Z"):rep(1000000), "127.0.0.1",
  "127.0.0.1:7", "0.0.0.0", "::1", "[::1]:7", "[::]:0", "fe80::1%lo", "::ffff:127.0.0.1", "10.0.0.1", "10.0.0.2:80",
  "10.0.0.1/24", "fd00:1::1/64", "unix:s1", "unix:s2", "unix:" .. ("p"):rep(107), "unix:" .. ("p"):rep(108),
  "unix:none/s", "l", "L", "a", "n", "SIGTERM", "SIGKILL", "SIGSTOP", "SIGCONT", "SIG", "SYN", "data", "FIN",
  "in", "out", "both", "reset", "LISTEN", "ESTABLISHED", "TIME_WAIT", "null", "pipe", "inherit", "keep",
  "stdout", "reno", "cubic", "nonsense", "net.ipv4.tcp_syncookies", "net.core.somaxconn", "net.ipv4.tcp_rmem",
  "net.none", "lo", "eth0",
  "br0", ".", "none", "none/file", "line\n", "1", "0x10", "ipv4", "ipv6",
}

local numbers = {
  0, 1, 2, 3, 5, 7, 80, 1000, 65535, 65536, -1, -0.0, 0.5, 1e-9, 0.001, 1e9, 1e300, 2 ^ 31, 2 ^ 53, math.huge,
  -math.huge, 0 / 0, math.maxinteger, math.mininteger, 0x7fffffff, 0xffffffff, 16384,
}
-- As a timeout none of them is long.
local short_numbers = { 0, -1, 0.001, 1e-9, 0.002, -0.0, 0 / 0, math.mininteger, -math.huge }

-- Those that lunet tells of are added.
values.fields = {
  "port", "address", "from", "label", "backlog", "name", "sysctl", "env", "cwd", "stdin", "stdout", "stderr", "state",
  "delay", "capacity", "a", "b", "first", "flags", "direction", "to", "reject", "n",
}

function values.learn(message)
  local known = type(message) == "string" and message:match "known: ([^)]*)%)"
  if not known then return end
  local seen = {}
  for _, field in ipairs(values.fields) do seen[field] = true end
  for field in known:gmatch "[%w_]+" do
    if not seen[field] then table.insert(values.fields, field) end
    seen[field] = true
  end
end

function values.text() return pick(texts) end

--- A text that is taken almost everywhere.
function values.word() return chance(0.9) and pick { "w", "word", "1" } or values.text() end

function values.number()
  if chance(0.2) then return random(0, 100) end
  return pick(world.in_main and short_numbers or numbers)
end

--- A callback. On the main thread it ends each time with true, so that nobody asks it again without end.
function values.callback()
  local bodies = {
    function(...) return ... end,
    function() return true end,
    function() error "fuzz: an error of a callback" end,
    function() error(setmetatable({}, { __tostring = world.act })) end,
    world.act,
    function() coroutine.yield(1) end,
    function() lunet.sleep(0) end,
    function() lunet.sleep(0.001) end,
    function() return values.call() end,
    function() return values.call() end,
    function() world.keep_coroutine() return values.call() end,
    function(object) world.keep(object) return values.call() end,
    function(object)
      world.keep(object)
      lunet.sleep(0.001)
    end,
    function()
      local _closed <close> = setmetatable({}, { __close = world.act })
      return values.call()
    end,
    tostring, error, lunet.now, lunet.open_handles,
  }
  local body = pick(bodies)
  if not world.in_main then return body end
  return function(...)
    body(...)
    return true
  end
end

local metamethods = {
  "__index", "__len", "__pairs", "__newindex", "__call", "__tostring", "__eq", "__lt", "__concat", "__close", "__unm",
}

--- Gives a table metamethods that disturb whoever runs them.
function values.disturb(object)
  local metatable = {}
  for _ = 1, random(1, 3) do
    metatable[pick(metamethods)] = function()
      world.act()
      return values.plain()
    end
  end
  if chance(0.2) then metatable.__name = values.plain() end
  if chance(0.2) then metatable.__gc = world.act end
  return setmetatable(object, metatable)
end

function values.plain()
  local kind = random(5)
  if kind == 1 then return nil end
  if kind == 2 then return chance(0.5) end
  if kind == 3 then return values.number() end
  return values.text()
end

--- A table of options: some of the fields given (name to function that makes a value), and any others.
function values.options(fields, extra)
  local made = {}
  for field, make in pairs(fields) do
    if chance(0.7) then made[field] = make() end
  end
  for _ = 1, chance(extra or 0.3) and random(3) or 0 do made[pick(values.fields)] = values.any(2) end
  if chance(0.1) then return values.disturb(made) end
  return made
end

function values.list(depth)
  local made = {}
  for i = 1, random(0, 4) do made[i] = values.any(depth) end
  return made
end

local function table_of_any(depth)
  local made = chance(0.5) and values.list(depth + 1) or {}
  for _ = 1, random(0, 3) do
    local key = chance(0.8) and pick(values.fields) or values.any(depth + 1)
    if key ~= nil and key == key then made[key] = values.any(depth + 1) end
  end
  if chance(0.3) then return values.disturb(made) end
  return made
end

--- Any value at all.
function values.any(depth)
  depth = depth or 0
  local kind = random(10)
  if kind <= 4 or depth > 3 then return values.plain() end
  if kind <= 6 then return table_of_any(depth) end
  if kind == 7 then return values.callback() end
  if kind == 8 then return pick { io.stderr, coroutine.create(function() end), (coroutine.running()), print, _G } end
  return world.object()
end

--- values.call(): one more fuzzed call, within a callback; see calls.lua.

return values
