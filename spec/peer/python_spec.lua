local client = require "lunet.peer.client"
local lunet = require "lunet"
local python = require "lunet.peer.python"
local scratch = require "lunet.peer.scratch"

local is_here, missing = client.find_all { "urllib" }
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

-- The text that a script prints, its status and its last words.
local function run(script)
  local place <close> = scratch.open()
  package.loaded["spec.described"] = python.client { library = "json", script = script, waits = { default = {} } }
  local path = place:write("described.lua", 'return require "spec.described"')
  local host <close> = assert(lunet.host "client")
  local running <close> = client.open(path, host, { address = "127.0.0.1", port = 7300 })
  running:start()
  assert.is_true(running:await_end(60))
  return running.printed, running:status(), running:words()
end

describe("a client of Python's", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has its server and its library, and says that it is done", function()
    if reason then return pending(reason) end
    assert.same({ "127.0.0.1 7300 http://127.0.0.1:7300/ {}\ndone\n", 0, "done" },
      { run "print(address, port, URL,\n  json.dumps(options))" })
  end)

  it("says an error's type and message in a line", function()
    if reason then return pending(reason) end
    assert.same({ "event\nfailed: ValueError one two\n", 1, "failed: ValueError one two" },
      { run 'print("event")\nraise ValueError("one\\n two")' })
  end)

  it("names a library that is missing, and the package that brings it", function()
    local libraries = python.client { library = "paho.mqtt", package = "python3-paho-mqtt", script = "" }.libraries
    assert.same({ ["/usr/lib/python3/dist-packages/paho/__init__.py"] = "python3-paho-mqtt" }, libraries)
  end)
end)
