local archive = require "lunet.kernel.archive"
local cargo = require "lunet.kernel.cargo"
local scratch = require "lunet.peer.scratch"

describe("what a guest has of this machine", function()
  local function has(packed, pattern)
    for _, path in ipairs(packed.paths) do
      if path:find(pattern) then return true end
    end
    return false
  end

  it("is lunet, and a needed program with its package but without its manual", function()
    local packed = archive.new()
    assert(cargo.add_programs(packed, { openssl = "openssl" }))
    for _, pattern in ipairs { "/lunet/experiment%.lua$", "/openssl$", "/libssl%.so", "/openssl%.cnf$",
      "^/var/lib/dpkg/status$" } do
      assert.is_true(has(packed, pattern), pattern)
    end
    assert.is_false(has(packed, "^/usr/share/man/"))
    assert.is_false(has(packed, "^/usr/share/doc/"))
  end)

  it("is only lunet if the program is missing: lunet in the guest says so", function()
    local packed = archive.new()
    assert(cargo.add_programs(packed, { ["no-such-program"] = "no-such-package" }))
    assert.is_false(has(packed, "no%-such"))
  end)

  it("is a script with the files beside it, or a directory with its folders", function()
    local place <close> = scratch.open()
    local file = place:write("script.lua", "")
    place:write("server.conf", "")
    place:write("folder/other.lua", "")
    local beside, tree = cargo.files { "lunet", file }, cargo.files { "lunet", place.path, "--json" }
    assert.is_true(has(beside, "/script%.lua$") and has(beside, "/server%.conf$"))
    assert.is_false(has(beside, "/other%.lua$"))
    assert.is_true(has(tree, "/script%.lua$") and has(tree, "/folder/other%.lua$"))
  end)
end)
