local lunet = require "lunet"
local forwarder = require "lunet.peer.forwarder"
local raised = require "spec.support.raised"
local scratch = require "lunet.peer.scratch"

local BOUND <const> = require "spec.support.bound"
local RELAY = "spec/fakes/relay.lua"

describe("a forwarder", function()
  local host, clients, server, options, place

  before_each(function()
    place = scratch.open()
    host, clients, server = assert(lunet.host "forwarder"), assert(lunet.host "clients"), assert(lunet.host "server")
    local near, far = lunet.link(host, clients), lunet.link(host, server)
    options = { address = near:address(host), server = far:address(server), server_port = 7301 }
  end)
  after_each(function()
    place:close()
    for _, one in ipairs { host, clients, server } do one:close() end
    assert.same({}, lunet.open_handles())
  end)

  -- The file of a description of what forwards nothing. It leaves the path of the place in package.loaded.
  local function describe_as(fields)
    return place:write("fake.lua", ([[
      return { packages = { "one", "two" }, program = "sh", version = {}, logged = {}, command = function(running)
        package.loaded["the place"] = running.place.path
        return { "sh", "-c", "echo no way; exit 1" }
      end, %s }
    ]]):format(fields))
  end

  it("is started, takes a client to the server, and leaves no file", function()
    local running = forwarder.start(RELAY, host, options)
    local listener = assert(server:listen { port = 7301, backlog = 5 })
    local client = assert(running:connect(clients, "A", BOUND))
    assert(client:send(running:request "word"))
    local far = assert(listener:accept(BOUND))
    assert.equal("word", far:receive("l", BOUND))
    assert.equal(1, #running:outgoing())
    running:leave(client, "reset")
    assert.is_true(lunet.eventually(function() return far:liveness() == "fin" end, BOUND))
    far:close()
    assert.is_true(lunet.eventually(function() return #running:outgoing() == 0 end, BOUND))
    running:close()
    running:close()
    assert.is_nil(io.open(running.place.path .. "/relay.lua"))
  end)

  it("tells its client of a closed port, and logs it", function()
    local running <close> = forwarder.start(RELAY, host, options)
    local client = assert(running:connect(clients, "A", BOUND))
    assert.equal("FIN", running:await_end(client, BOUND))
    assert.is_true(lunet.eventually(function() return running:logged(running:log()) == "ECONNREFUSED" end, BOUND))
  end)

  it("tells a reset from an end, an answer, and silence", function()
    local running <close> = forwarder.start(RELAY, host, options)
    local listener = assert(host:listen { port = 7399, backlog = 5 })
    local function told(act, timeout)
      local client = assert(clients:connect({ listener }, BOUND))
      act(assert(listener:accept(BOUND)))
      return running:await_end(client, timeout or BOUND)
    end
    assert.equal("FIN", told(function(far) far:close() end))
    assert.equal("RST", told(function(far) far:reset() end))
    assert.equal("nothing", told(function(far) far:send "HTTP" end, 0))
    running.description.answers = "^HTTP/1.1 (%d+)"
    assert.equal("502", told(function(far) far:send "HTTP/1.1 502 Bad Gateway\r\n" end))
  end)

  it("rests, and is seen not to", function()
    local running <close> = forwarder.start(RELAY, host, options)
    assert.is_true(running:await_rest(BOUND))
    local busy <close> = assert(host:exec { "sh", "-c", "while :; do :; done" })
    running.beside[1] = busy
    assert.is_false(running:await_rest(0.1))
    busy:kill "SIGSTOP"
    assert.is_true(running:await_rest(BOUND))
  end)

  it("has none of root's rights", function()
    local running <close> = forwarder.start(RELAY, host, options)
    local file <close> = assert(io.open(("/proc/%d/status"):format(running.process:pid())))
    assert.not_matches("\nUid:%s+0%s", file:read "a")
  end)

  it("raises what it said if it does not forward, and leaves no file", function()
    for _, fields in ipairs { "listens = true", "listens = false" } do
      local path = describe_as(fields)
      assert.matches("no way", raised(forwarder.start, path, host, options), 1, true)
      assert.is_string(package.loaded["the place"])
      assert.is_nil(io.open(package.loaded["the place"]))
      package.loaded["the place"] = nil
    end
  end)

  it("is refused where the user may not open its device", function()
    local path = describe_as 'device = "/no/such/device"'
    local why = "/no/such/device: No such file or directory"
    assert.equal(why, forwarder.refusal(path))
    assert.equal(why, raised(forwarder.start, path, host, options))
    assert.is_nil(forwarder.refusal(RELAY))
  end)

  it("has a version that another program may tell", function()
    local path = describe_as 'version_of = "sh", version = { "-c", "echo 0.0~git20230309.7c-1" }'
    assert.equal("0.0~git20230309", (forwarder.version(path):match "^[^.]+%.[^.]+"))
    path = describe_as 'version_of = "sh", version = { "-c", "echo none of yours" }'
    assert.matches("tells no version: none of yours", raised(forwarder.version, path), 1, true)
  end)

  it("is one that is described", function()
    assert.matches("there is no forwarder 'nonsense': haproxy, ", raised(forwarder.start, "nonsense", host, options))
    for _, name in ipairs(forwarder.names()) do
      local description = forwarder.describe(name)
      for field, kind in pairs { listens = "boolean", delivers = "table", logged = "table" } do
        assert.equal(kind, type(description[field]), name .. "." .. field)
      end
      assert.equal("function", type(description.command or description.open), name)
    end
  end)

  it("names the packages of a program that is missing", function()
    local path = describe_as 'program = "no-such-forwarder"'
    assert.matches("no-such-forwarder is missing (install the package one, two)",
      raised(forwarder.start, path, host, options), 1, true)
  end)
end)
