--- The specs that every real forwarder of lua/lunet/peer/forwarders passes: one describe block a forwarder.
---
---     forwarder(_ENV, "socat", { told = "FIN", logged = "Connection refused" })
local assert = require "luassert"
local lunet = require "lunet"
local forwarder = require "lunet.peer.forwarder"
local raised = require "spec.support.raised"
local started = require "spec.support.started"

local BOUND <const> = require "spec.support.bound"
local PORT = 7301 -- of the server

---@class lunet.expected_forwarder
---@field connect? string the code of a connect if the server's port is closed; nil: it succeeds
---@field told? string|string[] what the client then hears, if it connected
---@field logged? string what the log says of that, or how that begins; default "nothing"
---@field silent? boolean whether a connect never ends if the server's port is closed

-- Why it is not here, if it is not.
local function reason(name)
  local is_here, missing = forwarder.find_all { name }
  return not is_here and ("the group peers is not here (script/packages peers): %s"):format(missing) or nil
end

local function start(name)
  local clients, between = assert(lunet.host "clients"), assert(lunet.host(name))
  local server = assert(lunet.host "server")
  local near, far = lunet.link(clients, between), lunet.link(between, server)
  return forwarder.start(name, between, { address = near:address(between), server = far:address(server),
    server_port = PORT }), clients, server
end

local function is_one_of(word, words)
  for _, one in ipairs(type(words) == "table" and words or { words }) do
    if word == one then return true end
  end
  return false
end

local function forwards(running, clients, server)
  local listener = assert(server:listen { port = PORT, backlog = 5 })
  local client = assert(running:connect(clients, "A", BOUND))
  assert(client:send(running:request "word"))
  local far = assert(listener:accept(BOUND))
  assert.matches("word", far:receive("l", BOUND), 1, true)
  assert(far:send "HTTP/1.1 200 OK\r\n\r\nreply\n")
  far:shutdown() -- not close, which sends a RST if the rest of the request is unread
  local text = assert(client:receive("a", BOUND))
  assert.matches("reply\n", text, 1, true)
  client:close()
  far:close()
end

local function reports_a_closed_port(running, clients, expected)
  local before = #running:log()
  local client, _, code = running:connect(clients, "A", expected.silent and 0.5 or BOUND)
  assert.equal(expected.connect, code)
  if client then
    if running.description.speaks_first then client:send(running:request "wait") end
    local told = running:await_end(client, BOUND)
    assert.is_true(is_one_of(told, expected.told), told)
  end
  local logged = expected.logged or "nothing"
  assert.is_true(lunet.eventually(function()
    return running:logged(running:log():sub(before + 1)):sub(1, #logged) == logged
  end, BOUND), running:log())
end

-- Whether this machine refuses what the forwarder needs, which start then says.
local function is_refused(name)
  local refused = forwarder.refusal(name)
  if refused then assert.equal(refused, raised(start, name)) end
  return refused ~= nil
end

---@param busted table the environment of the spec, whose `describe`, `it` and `pending` it takes
---@param name string
---@param expected lunet.expected_forwarder
return function(busted, name, expected)
  local with_forwarder = started(busted, name, reason, start, is_refused)

  busted.describe(name, function()
    with_forwarder("takes a request to the server, and the reply back", function(running, clients, server)
      assert.matches("^%d+%.%d+", forwarder.version(name))
      forwards(running, clients, server)
    end)

    with_forwarder("tells its client of a closed port in its own way", function(running, clients)
      reports_a_closed_port(running, clients, expected)
    end)
  end)
end
