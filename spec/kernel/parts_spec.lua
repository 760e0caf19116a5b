local parts = require "lunet.kernel.parts"

-- spec/cmake/install_spec.lua asks an installed lunet.
describe("lunet's own files", function()
  it("are beside the program in a build tree", function()
    local build = os.getenv "LUNET_BUILD"
    assert.equal(build .. "/lunet", parts.program())
    assert.equal(build .. "/libexec/lunet/uml-registers.so", parts.find "libexec/lunet/uml-registers.so")
    assert.is_nil(parts.find "libexec/lunet/none")
  end)
end)
