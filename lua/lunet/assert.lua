--- Assertions for busted on the kernel's view, with messages that show it. The expected value comes first. After
--- `eventually` the assertion waits for it: `assert.eventually.queue_depth(2, listener)`.
---
---     assert.succeeds(call())                       returns the results
---     assert.fails_with("TIMEOUT", call())
---     assert.queue_depth(2, listener)               assert.queue_limit(5, listener)
---     assert.liveness("fin", connection)            assert.tcp_state("CLOSE_WAIT", connection)
---     assert.socket_count(3, host, { state = "ESTABLISHED" })
---     assert.segments({ "SYN", "SYN-ACK", "ACK" }, capture)   exactly these next ones, in this order
---     assert.moved({ ListenOverflows = 2 }, before, host)     before: an earlier host:counters()
local assert = require "luassert"
local last_events = require "lunet.tell.last_events"
local say = require "say"
local show = require("lunet.text.value").show
local lunet = require "lunet"

local LONGEST = 10 -- s; how long `eventually` waits

say:set("assertion.lunet", "%s")

--- Makes one text the message of a failed assertion.
local function explain(arguments, text)
  for i = 1, arguments.n do arguments[i] = nil end
  arguments[1], arguments.n, arguments.nofmt = text, 1, { [1] = true }
end

--- `look` takes the arguments, and returns whether the assertion holds and a description of the real state.
local function register(name, look)
  assert:register("assertion", name, function(state, arguments)
    local wanted = state.mod
    local holds, seen = look(table.unpack(arguments, 1, arguments.n))
    if rawget(state, "is_eventual") then
      lunet.eventually(function()
        holds, seen = look(table.unpack(arguments, 1, arguments.n))
        return holds == wanted
      end, LONGEST)
    end
    if holds ~= wanted then
      local text = ("%s%s: %s"):format(wanted and "" or "not ", name:gsub("_", " "), seen)
      explain(arguments, text .. last_events.text())
    end
    return holds
  end, "assertion.lunet", "assertion.lunet")
end

assert:register("modifier", "eventually", function(state)
  rawset(state, "is_eventual", true)
  return state
end)

register("succeeds", function(value, message, code)
  return value ~= nil and value ~= false, ("the call failed: %s (%s)"):format(message, code)
end)

register("fails_with", function(expected, value, message, code)
  if value then return false, ("expected %s, but the call succeeded with %s"):format(expected, show(value)) end
  return code == expected, ("expected %s, but it failed with %s: %s"):format(expected, code, message)
end)

-- An assertion on one value from the kernel. `describe` tells more of its view.
local function register_value(name, read, describe)
  register(name, function(expected, object, ...)
    local value, message = read(object, ...)
    local seen = value == nil and message or show(value)
    local view = describe and describe(object) or ""
    return value == expected, ("expected %s, the kernel says %s%s"):format(show(expected), seen, view)
  end)
end

local function queue_view(listener)
  local queue = listener:queue()
  return queue and (" (%s: depth %d, limit %d)"):format(listener, queue.depth, queue.limit) or ""
end

local function connection_view(connection)
  local kernel, held = connection:unread()
  if not kernel then return "" end
  return (" (%s: %s, liveness %s, %d bytes unread, %d held)"):format(
    connection, connection:state(), connection:liveness(), kernel, held)
end

local function queue_field(field)
  return function(listener)
    local queue, message = listener:queue()
    return queue and queue[field], message
  end
end

register_value("queue_depth", queue_field "depth", queue_view)
register_value("queue_limit", queue_field "limit", queue_view)
register_value("liveness", function(connection) return connection:liveness() end, connection_view)
register_value("tcp_state", function(connection) return connection:state() end, connection_view)

-- Other sockets without an owner, such as those in TIME_WAIT, are closed.
local function is_queued(socket)
  return not socket.owned and (socket.state == "ESTABLISHED" or socket.state == "CLOSE_WAIT")
end

register("socket_count", function(expected, host, filter)
  local sockets = assert(host:sockets(filter))
  local lines = {}
  for i, s in ipairs(sockets) do
    lines[i] = ("\n  %s %s -> %s%s"):format(s.state, s.local_address, s.peer_address or "(any)",
      is_queued(s) and " (queued)" or "")
  end
  return #sockets == expected,
    ("expected %d, %s has %d that match%s"):format(expected, host:name(), #sockets, table.concat(lines))
end)

register("segments", function(expected, capture)
  local seen, message = capture:expect(expected, LONGEST)
  return seen ~= nil, seen and ("%d segments passed as expected"):format(#seen) or message
end)

register("moved", function(expected, before, host)
  local difference = assert(host:counters()) - before
  for name, by in pairs(expected) do
    if difference[name] ~= by then
      return false, ("expected %s, on %s moved %s"):format(show(expected), host:name(), show(difference))
    end
  end
  return true, ("on %s moved %s"):format(host:name(), show(difference))
end)

return assert
