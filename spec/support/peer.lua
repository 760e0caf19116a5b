--- The specs that every real server of lua/lunet/peer/servers passes: one describe block a server.
---
---     peer(_ENV, "memcached", { told = "ERROR", accepts = true, logged = "nothing" })
local assert = require "luassert"
local lunet = require "lunet"
local server = require "lunet.peer.server"
local started = require "spec.support.started"

local BOUND = require "spec.support.bound"

---@class lunet.expected_server
---@field told? string what a client at the limit receives, in part; "" for an end without words; nil: it waits
---@field holds? boolean whether it accepts a client that waits
---@field unread? boolean whether the request of a client that it holds stays in the kernel
---@field limit? integer what the limit of its queue becomes meanwhile
---@field meanwhile? string what its log says while a client waits, in part
---@field logged? string what the log says of that client; default "nothing"
---@field later? string what the log says of a client that was served; default "nothing"
---@field counted? string the server's own count of clients that it refused, without the number: they may be several

-- Why there is no such server, if there is none.
local function reason(name)
  local is_here, missing = server.find_all { name }
  return not is_here and ("the group peers is not here (script/packages peers): %s"):format(missing) or nil
end

-- A host with a server, and one with clients.
local function start(name)
  local host, clients = assert(lunet.host(name)), assert(lunet.host "clients")
  local link = lunet.link(host, clients)
  return server.start(name, host, { address = link:address(host) }), clients
end

-- Later clients, until one is answered: a server may take a moment to see that the first one has left.
local function serve_later(running, clients)
  return assert(lunet.eventually(function()
    local client = running:ask(clients, "later")
    if running:await_answer(client) then return client end
    client:close()
  end, BOUND))
end

-- Whether the word is, or is not, in the evidence.
local function left_behind(running, client, word) return running:evidence(client):find(word, 1, true) ~= nil end

local function refuses(running, clients, expected)
  local b = running:ask(clients, "ghost")
  local _, text, code = running.read_until(b, nil, BOUND)
  assert.not_equal("TIMEOUT", code)
  assert.equal(running.description.refusal or "", expected.told)
  assert.matches(expected.told, text, 1, true)
end

-- It waits until the first one has left, and is served then.
local function waits(running, clients, expected, a)
  local holds = expected.holds or false
  local b = running:ask(clients, "ghost")
  local _, port = b:address()
  assert.is_true(lunet.eventually(function()
    local socket = running:far_end(port)
    local limit = running:listener().queue.limit
    local has_limit = limit == (expected.limit or limit)
    local is_unread = not holds or expected.unread or false
    return has_limit and socket and socket.owned == holds and (socket.receive_queue > 0) == is_unread
  end, BOUND))
  if expected.meanwhile then
    local function is_told() return running:log():find(expected.meanwhile, 1, true) ~= nil end
    assert.is_true(lunet.eventually(is_told, BOUND))
  end
  a:close()
  assert.is_true((running:await_answer(b, BOUND)))
  b:close() -- php-fpm waits for that before it takes another client
  -- Without this wait memcached with no_maxconns_fast may serve nobody any more.
  assert.is_true(lunet.eventually(function() return running:is_done_with(port) end, BOUND))
end

---@param busted table the environment of the spec, whose `describe`, `it` and `pending` it takes
---@param name string
---@param expected lunet.expected_server
return function(busted, name, expected)
  local with_server = started(busted, name, reason, start)

  busted.describe(name, function()
    with_server("carries out a request, which leaves its word behind", function(running, clients)
      assert.matches("^%d+%.%d+", server.version(name))
      local client = running:ask(clients, "word")
      assert.is_true(running:await_answer(client, BOUND))
      assert.is_true(lunet.eventually(function() return left_behind(running, client, "word") end, BOUND))
      assert.is_false(left_behind(running, client, "ghost"))
      if expected.later then
        local function said() return running:logged(running:log(), "word") end
        assert.is_true(lunet.eventually(function() return said() == expected.later end, BOUND))
      end
    end)

    if not server.describe(name).limit then return end
    with_server(("%s a client at its limit"):format(expected.told and "refuses" or "leaves waiting"),
      function(running, clients)
        local a = running:hold(clients)
        local at_limit = expected.told and refuses or waits
        at_limit(running, clients, expected, a)
        a:close()
        local later = serve_later(running, clients)
        assert.is_true(lunet.eventually(function() return left_behind(running, later, "later") end, BOUND))
        assert.equal(not expected.told, left_behind(running, later, "ghost"))
        local counted, number = (running:statistics(later) or ""):match "^(.-)(%d*)$"
        assert.equal(expected.counted or "", counted)
        assert.is_true(not expected.counted or tonumber(number) >= 1)
        local logged = expected.logged or "nothing"
        local function said() return running:logged(running:log(), "ghost") end
        assert.is_true(lunet.eventually(function() return said():sub(1, #logged) == logged end, BOUND), said())
      end)
  end)
end
