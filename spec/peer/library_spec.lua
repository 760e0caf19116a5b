local library = require "lunet.peer.library"
local raised = require "spec.support.raised"
local scratch = require "lunet.peer.scratch"

local LIAR = "spec/fakes/liar.lua"

describe("the library of real programs", function()
  local server = library.open "server"

  it("names all that are described, in order", function()
    local names = server.names()
    assert.is_true(#names >= 12)
    for i, name in ipairs(names) do
      assert.is_true(i == 1 or names[i - 1] < name)
      local description, short = server.describe(name)
      assert.equal(name, short)
      for field, kind in pairs { packages = "table", program = "string" } do
        assert.equal(kind, type(description[field]), name .. "." .. field)
      end
      assert.matches("^[tf]", type(description.version), name)
    end
  end)

  -- Without it a program whose own package alone is here would be started, and fail.
  it("names for each package but the first what it is needed for", function()
    for _, kind in ipairs { "server", "client", "forwarder", "pool" } do
      local described = library.open(kind)
      for _, name in ipairs(described.names()) do
        local description, known = described.describe(name), {}
        for _, package in pairs(description.needs or {}) do known[package] = true end
        for i = 2, #description.packages do
          assert.is_true(known[description.packages[i]], ("%s %s: %s"):format(kind, name, description.packages[i]))
        end
      end
    end
  end)

  it("takes the path of a file that describes another one", function()
    local description, name = server.describe(LIAR)
    assert.equal("liar", name)
    assert.equal("string", type(description.program))
  end)

  it("raises for one that is not described", function()
    local why = "there is no server 'nonsense': apache2, .*xinetd, or the path of a file"
    assert.matches(why, raised(server.describe, "nonsense"))
    assert.matches(why, raised(server.needs, { "nonsense" }))
    assert.matches("no such file", raised(server.describe, "./no/such.lua"):lower())
  end)

  it("does not take a broken description for one that is missing", function()
    package.preload["lunet.peer.servers.broken"] = function() error "a mistake" end
    assert.matches("a mistake", raised(server.describe, "broken"), 1, true)
    package.preload["lunet.peer.servers.broken"] = nil
  end)

  it("tells which packages bring the programs", function()
    local description = server.describe "redis"
    assert.same({ [description.program] = table.concat(description.packages, ", ") }, server.needs { "redis" })
  end)

  it("tells of files that a program needs besides, and their packages", function()
    local place <close> = scratch.open()
    local path = place:write("fake.lua",
      'return { packages = { "one" }, program = "sh", needs = { ["/no/such.jar"] = "two" } }')
    assert.same({ sh = "one", ["/no/such.jar"] = "two" }, server.needs { path })
    local is_here, why = server.find_all { path }
    assert.is_nil(is_here)
    assert.equal("/no/such.jar is missing (install the package two)", why)
  end)

  it("has a program tell its version, or raises what it says in place of one", function()
    local place <close> = scratch.open()
    local function describe_as(words)
      return place:write("fake.lua",
        ('return { packages = {}, program = "sh", version = { "-c", "echo %s" } }'):format(words))
    end
    local path = describe_as "fake version 1.22.3-b"
    assert.equal("1.22.3", server.version(path))
    describe_as([[" }, version = function(path) return { path, "-c", "echo 7.8 of " .. path } end, x = { "]])
    assert.equal("7.8", server.version(path))
    describe_as "none of yours"
    assert.matches("tells no version: none of yours", raised(server.version, path), 1, true)
  end)
end)
