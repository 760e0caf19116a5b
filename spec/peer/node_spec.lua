local client = require "lunet.peer.client"
local json = require "dkjson"
local lunet = require "lunet"
local node = require "lunet.peer.node"
local scratch = require "lunet.peer.scratch"
local value = require "lunet.text.value"

local BOUND <const> = require "spec.support.bound"
local PINS <const> = os.getenv "LUNET_SOURCE" .. "/lua/lunet/peer/npm/package.json"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- The path of a description.
local function describe_script(place, script, library)
  package.loaded["spec.described"] = node.client { script = script, library = library, waits = { default = {} } }
  return place:write("described.lua", 'return require "spec.described"')
end

-- The text that a script prints, its status and its last words.
local function run(script)
  local place <close> = scratch.open()
  local path = describe_script(place, script)
  local host <close> = assert(lunet.host "client")
  local running <close> = client.open(path, host, { address = "127.0.0.1", port = 7300 })
  running:start()
  assert.is_true(running:await_end(BOUND))
  local status = running:status()
  return running.printed, status, running:words()
end

local is_here, missing = client.find_all { "fetch" }
local no_node = not is_here and "the group peers is not here (script/packages peers): " .. missing
is_here, missing = client.find_all { "axios" }
local no_library = not is_here and "the group npm is not here (script/packages npm): " .. missing

describe("a client of Node's", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has its server and its events, and says that it is done", function()
    if no_node then return pending(no_node) end
    assert.same({ "127.0.0.1 7300 http://127.0.0.1:7300/ {}\ndone\n", 0, "done" },
      { run "say(host, port, URL, options);" })
  end)

  it("says an error's code, name and message once, and runs on if it must", function()
    if no_node then return pending(no_node) end
    local script = 'setTimeout(() => {}, 60000);throw Object.assign(new TypeError("one\\n two"), { code: "ONE" });'
    assert.same({ "failed: ONE TypeError one two\n", nil, "failed: ONE TypeError one two" },
      { run(script) })
  end)

  it("fails by an error that nobody handled", function()
    if no_node then return pending(no_node) end
    local _, status, words = run 'setTimeout(() => { throw new Error("late"); }, 1); await new Promise(() => {});'
    assert.same({ 1, "failed: Error late" }, { status, words })
  end)

  it("names a library that is missing", function()
    local place <close> = scratch.open()
    local _, why = client.find_all { describe_script(place, "", "no-such-library") }
    assert.matches("no%-such%-library/package.json is missing %(install the package no%-such%-library of "
      .. "script/packages npm%)", why)
  end)

  it("has the library that is pinned", function()
    if no_library then return pending(no_library) end
    local pinned, seen = json.decode(read(PINS)).dependencies, 0
    for _, name in ipairs(client.names()) do
      local description = client.describe(name)
      if description.program == "node" and description.library then
        assert.equal(pinned[description.library], client.version(name))
        seen = seen + 1
      end
    end
    assert.equal(#value.sorted_keys(pinned), seen)
  end)
end)
