--- Misuse is the script's mistake: what it raises names the script's line and the call as the script wrote it.
local core = require "lunet.core"
local lunet = require "lunet"

local THIS = debug.getinfo(1, "S").short_src

-- Calls as a script does, one on each line: its line and the name must be in the message.
local function misuse_of(call)
  local ok, message = pcall(call)
  if ok then return nil end
  return tostring(message), debug.getinfo(call, "S").linedefined
end

local function assert_names_script(message, line)
  assert.equal(("%s:%d: "):format(THIS, line), message:match "^.-:%d+: ", message)
  assert.is_nil(message:find "core_", message)
  assert.is_nil(message:find("lua/lunet/", 1, true), message)
  assert.is_nil(message:find("local 'self'", 1, true), message)
end

-- Values that no call takes.
local WRONG = { 5, "x", true, {}, print, { [5] = {} }, -1, 0 / 0 }

-- Every method of a type, by its name, and of what is written in Lua too.
local function methods_of(object)
  local index = type(object) == "table" and getmetatable(object).__index or debug.getmetatable(object).__index
  if type(index) == "function" then index = select(2, debug.getupvalue(index, 1)) end
  local found = {}
  for name, method in pairs(index) do
    if type(method) == "function" and not name:find "^__" then found[name] = method end
  end
  return found
end

describe("misuse", function()
  local objects

  before_each(function()
    local host, other = assert(lunet.host "a"), assert(lunet.host "b")
    local listener = assert(host:listen { backlog = 5 })
    objects = { host = host, other = other, listener = listener, network = lunet.link(host, other),
      connection = assert(host:connect(listener, 10)), rule = assert(host:drop { port = 9 }),
      capture = assert(host:capture()), watch = assert(host:watch(9)),
      process = assert(host:exec { "sleep", "1000" }),
      task = lunet.spawn(lunet.sleep, 1000) }
  end)

  after_each(function()
    objects.task:cancel()
    for _, name in ipairs { "process", "capture", "watch", "rule", "connection", "network", "listener", "other",
      "host" } do
      objects[name]:close()
    end
    assert.same({}, lunet.open_handles())
  end)

  it("of a method with a wrong self names the script's line and the method", function()
    local count = 0
    for _, object in pairs(objects) do
      for name in pairs(methods_of(object)) do
        for _, wrong in ipairs(WRONG) do
          local message, line = misuse_of(function() local result = object[name](wrong) return result end)
          assert.is_string(message, name)
          assert_names_script(message, line)
          count = count + 1
        end
      end
    end
    assert.is_true(count > 8 * #WRONG)
  end)

  it("names the call as the script wrote it", function()
    local host, listener = objects.host, objects.listener
    for expected, call in pairs {
      ["bad argument #1 to 'listen' (lunet.host expected, got number)"] = function() host.listen(5, {}) end,
      ["listen: a table expected, not number"] = function() host:listen(5) end,
      ['exec: a table like { "redis-server", "--port", "7000" } expected, not string'] = function() host:exec "ls" end,
      ["connect: a timeout is a number of seconds, 0 or more; not -1"] = function() host:connect(listener, -1) end,
      ["bad argument #1 to 'serve' (lunet.listener expected, got number)"] = function() listener.serve(5, print) end,
      ["bad argument #1 to 'drop' (lunet.host expected, got number)"] = function() host.drop(5, {}) end,
    } do
      local message, line = misuse_of(call)
      assert.equal(("%s:%d: %s"):format(THIS, line, expected), message)
    end
  end)

  it("of an argument names the script's line", function()
    -- These wait without limit, or end the object, when they are given what they do take.
    local patient = { join = true, wait = true, accept = true, receive = true, send = true, serve = true }
    local final = { close = true, reset = true, dissolve = true, cancel = true, freeze = true, shutdown = true,
      kill = true }
    local refused = {}
    for class, object in pairs(objects) do
      for name in pairs(methods_of(object)) do
        local wrongs = final[name] and {} or patient[name] and { {}, -1, 0 / 0 } or WRONG
        for _, wrong in ipairs(wrongs) do
          local message, line = misuse_of(function() local result = object[name](object, wrong, 0) return result end)
          if message then
            assert_names_script(message, line)
            refused[class .. "." .. name] = true
          end
        end
      end
    end
    for _, name in ipairs { "host.listen", "host.connect", "host.exec", "host.drop", "host.sockets", "host.sysctl",
      "host.watch", "host.capture", "listener.serve", "listener.accept", "listener.gate", "connection.lines",
      "network.address",
      "task.join" } do
      assert.is_true(refused[name], name)
    end
  end)

  it("of a function of the module names the script's line", function()
    local refused = {}
    for name, fn in pairs(lunet) do
      if type(fn) == "function" then
        for _, wrong in ipairs(WRONG) do
          local given = wrong
          if name == "sleep" and type(wrong) == "number" then given = -1 end -- else it sleeps
          if name == "eventually" and wrong == print then given = nil end -- else it prints for ever
          local message, line = misuse_of(function() local _made <close> = lunet[name](given) end)
          if message and not message:find "non%-closable" then
            assert_names_script(message, line)
            refused[name] = true
          end
        end
      end
    end
    for _, name in ipairs { "listen", "connect", "exec", "sockets", "spawn", "scope", "sleep", "host", "link", "lan",
      "drop", "within", "eventually", "together", "watch" } do
      assert.is_true(refused[name], name)
    end
  end)

  it("of a call in the midst of others names the line of the innermost script", function()
    local message, line = misuse_of(function()
      lunet.scope(function()
        lunet.together({ 1 }, function() objects.host:listen { backlog = -1 } end)
      end)
    end)
    assert_names_script(message, line + 2)
    assert.matches("listen: backlog: a whole number from 0 to 2147483647 expected, not %-1$", message)
  end)

  it("of a call that no script makes names no line", function()
    assert.equal("bad argument #1 to '?' (lunet.host expected, got number)",
      select(2, pcall(core.host_methods.listen, 5, {})))
  end)
end)
