local lunet = require "lunet"
local server = require "lunet.peer.server"
local raised = require "spec.support.raised"
local scratch = require "lunet.peer.scratch"

local BOUND <const> = require "spec.support.bound"
local LIAR = "spec/fakes/liar.lua"

-- The file, in a scratch place, of a description of what is no server. It leaves the path of its own place in
-- package.loaded.
local function describe_broken(place, program_name, script)
  return place:write("broken.lua", ([[
    return { packages = { "one", "two" }, program = "%s", version = {}, limit = tostring, arguments = function(running)
      package.loaded["the place"] = running.place.path
      return { "-c", "%s" }
    end }
  ]]):format(program_name, script))
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

  it("hears that a client has left, in each way", function()
    local running <close> = server.start(LIAR, host, { address = address })
    for _, departure in ipairs { "close", "reset", "shutdown" } do
      local client = running:ask(clients, departure)
      local _, port = client:address()
      running:leave(client, departure)
      local socket = running:far_end(port)
      assert.is_true(not socket or departure ~= "reset" and (socket.fin or not socket.owned), departure)
    end
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

  it("sends a request to a client that has a place, without what holds it", function()
    local running <close> = server.start(LIAR, host, { address = address })
    local client, text = running:begin(clients, "word", "B")
    assert.equal("held\n", text)
    running.description = setmetatable({ more = function(word) return "hold\n" .. word .. "\n" end },
      { __index = running.description })
    running:go_on(client, "word")
    assert.is_true((running:await_answer(client, BOUND)))
    assert.same({ "hold\nword\n", { "word" } }, { running:file "asked", running.asked })
  end)

  it("begins a request if nothing but accepting holds a place, and goes on", function()
    local running <close> = server.start(LIAR, host, { address = address })
    running.description = setmetatable({ held = false }, { __index = running.description })
    local client = running:begin(clients, "word", "B")
    assert.equal("", running:file "asked")
    running:go_on(client, "word")
    assert.is_true((running:await_answer(client, BOUND)))
    assert.equal("word\n", running:file "asked")
  end)

  it("is asked until a client is answered", function()
    local running <close> = server.start(LIAR, host, { address = address })
    running:hold(clients, "A")
    running.await_answer = function(self, ...) -- the first one is not answered, since a liar refuses its second client
      return #self.asked > 1 and getmetatable(self).await_answer(self, ...)
    end
    assert.is_true(running:be_answered(clients, "C"):close())
    assert.same({ "later", "later" }, running.asked)
  end)

  it("may look for clients that have left, in all or in one way, and otherwise when it was stopped", function()
    local function looks(description)
      return { server.looks(description, "close"), server.looks(description, "reset"),
        server.looks(description, "close", true) }
    end
    assert.same({ false, false, false }, looks {})
    assert.same({ true, true, true }, looks { looks = true })
    assert.same({ false, true, false }, looks { looks = "reset" })
    assert.same({ true, true, false }, looks { looks = true, looks_frozen = false })
    assert.same({ false, false, true }, looks { looks_frozen = true })
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

  it("runs in its place, since lunet's own directory may be closed to its user", function()
    local running <close> = server.start(LIAR, host, { address = address })
    local directory = require("lfs").symlinkattributes(("/proc/%d/cwd"):format(running.process:pid()), "target")
    assert.equal(running.place.path, directory)
  end)

  it("has its temporary files in its place, which does not outlive lunet", function()
    local running <close> = server.start(LIAR, host, { address = address })
    local file <close> = assert(io.open(("/proc/%d/environ"):format(running.process:pid())))
    assert.matches(("\0TMPDIR=%s\0"):format(running.place.path), "\0" .. file:read "a", 1, true)
  end)

  it("raises what it said if it does not listen, and leaves no file", function()
    local place <close> = scratch.open()
    local path = describe_broken(place, "sh", "echo no way; exit 1")
    local why = raised(server.start, path, host)
    assert.matches("did not start: it ended with status 1; it printed: no way", why, 1, true)
    assert.is_string(package.loaded["the place"])
    assert.is_nil(io.open(package.loaded["the place"]))
    package.loaded["the place"] = nil
  end)

  it("is one that is described", function()
    assert.matches("there is no server 'nonsense': apache2, ", raised(server.start, "nonsense", host))
    for _, name in ipairs(server.names()) do
      local description = server.describe(name)
      for field, kind in pairs { arguments = "function", holds = "string", request = "function",
        answer = "string", evidence = "function", logged = "table" } do
        assert.equal(kind, type(description[field]), name .. "." .. field)
      end
      assert.is_true(description.limit == nil or type(description.limit(1)) == "string")
    end
  end)

  it("names the packages of a program that is missing", function()
    local place <close> = scratch.open()
    local path = describe_broken(place, "no-such-server", "")
    local why = raised(server.start, path, host)
    assert.matches("no-such-server is missing (install the package one, two)", why, 1, true)
  end)
end)
