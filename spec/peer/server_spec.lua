local lunet = require "lunet"
local server = require "lunet.peer.server"
local raised = require "spec.support.raised"

local BOUND = 10 -- seconds; for what takes no time
local LIAR = "spec/fakes/liar.lua"

-- The file of a description of what is no server. It leaves the path of the place in package.loaded.
local function describe_broken(program_name, script)
  local path = os.tmpname() .. ".lua"
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(([[
    return { packages = { "one", "two" }, program = "%s", version = {}, limit = tostring, arguments = function(running)
      package.loaded["the place"] = running.place.path
      return { "-c", "%s" }
    end }
  ]]):format(program_name, script)))
  return path
end

describe("a server", function()
  local host, clients, address

  before_each(function()
    host, clients = assert(lunet.host "server"), assert(lunet.host "clients")
    address = lunet.link(host, clients):address(host)
  end)
  after_each(function()
    host:close()
    clients:close()
    assert.same({}, lunet.open_handles())
  end)

  it("is started, talked to and closed, and leaves no file", function()
    local running = server.start(LIAR, host, { address = address, port = 7301 })
    assert.same({ "liar", 7301, 7 }, { running.name, running.port, running:listener().queue.limit })
    running:hold(clients, "A")
    local b = running:ask(clients, "ghost", "B")
    assert.equal("full\n", (select(2, running.read_until(b, "\n", BOUND))))
    assert.is_true(lunet.eventually(function() return running:file "asked" == "hold\nghost\n" end, BOUND))
    running:close()
    running:close()
    assert.is_nil(io.open(running.place.path .. "/asked"))
  end)

  it("has a client's end in the kernel's list", function()
    local running <close> = server.start(LIAR, host, { address = address })
    local client = running:hold(clients)
    local _, port = client:address()
    assert.is_true(running:far_end(port).owned)
    client:reset()
    assert.is_true(lunet.eventually(function() return not running:far_end(port) end, BOUND))
  end)

  it("rests when it has started, and is seen not to", function()
    local running <close> = server.start(LIAR, host, { address = address })
    assert.is_true(running:await_rest(BOUND))
    local seconds = 0
    local busy = { usage = function()
      seconds = seconds + 0.01
      return { user = seconds, system = 0 }
    end }
    assert.is_false(setmetatable({ process = busy }, getmetatable(running)):await_rest(0.5))
  end)

  it("sends a part of a request if it is told to", function()
    local running <close> = server.start(LIAR, host, { address = address })
    local client = running:ask(clients, "whole", "B", 3)
    client:close()
    assert.is_true(lunet.eventually(function() return running:file "asked" == "who\n" end, BOUND))
  end)

  it("has none of root's rights", function()
    local running <close> = server.start(LIAR, host, { address = address })
    local file <close> = assert(io.open(("/proc/%d/status"):format(running.process:pid())))
    assert.not_matches("\nUid:%s+0%s", file:read "a")
  end)

  it("raises what it said if it does not listen, and leaves no file", function()
    local path = describe_broken("sh", "echo no way; exit 1")
    local why = raised(server.start, path, host)
    assert.matches("did not start: it ended with status 1; it printed: no way", why, 1, true)
    assert.is_string(package.loaded["the place"])
    assert.is_nil(io.open(package.loaded["the place"]))
    package.loaded["the place"] = nil
    os.remove(path)
  end)

  it("names the packages of a program that is missing", function()
    local path = describe_broken("no-such-server", "")
    local why = raised(server.start, path, host)
    assert.matches("no-such-server is missing (install the package one, two)", why, 1, true)
    os.remove(path)
  end)

  it("is one of those that are described", function()
    local names = server.names()
    assert.is_true(#names >= 12)
    for _, name in ipairs(names) do
      local description = server.describe(name)
      for field, kind in pairs { packages = "table", program = "string", version = "table", limit = "function",
        arguments = "function", holds = "string", request = "function", answer = "string", evidence = "function",
        logged = "table" } do
        assert.equal(kind, type(description[field]), name .. "." .. field)
      end
    end
    assert.matches("there is no server 'nonsense': apache2, .*uwsgi, or the path of a file",
      raised(server.start, "nonsense", host))
  end)

  it("whose file is broken is not taken for one that is missing", function()
    package.preload["lunet.peer.servers.broken"] = function() error "a mistake" end
    assert.matches("a mistake", raised(server.describe, "broken"), 1, true)
    package.preload["lunet.peer.servers.broken"] = nil
  end)
end)
