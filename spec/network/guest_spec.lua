local program = require "spec.support.program"

-- Asks a process with this variable where it runs.
local function told(variable)
  local words = ([[LUNET_GUEST=%s "$LUNET" -e '
    local guest = require "lunet.network.guest"
    local here = guest.here() or {}
    print(here.engine, here.clock, math.type(here.uid), here.uid, guest.is_virtual())']]):format(variable)
  return program.shell(words).output:gsub("\t", " "):gsub("\n", "")
end

describe("a process", function()
  it("knows of the guest that it runs in, by the variable of the guest's lunet", function()
    assert.equal("user-mode Linux real integer 1000 false", (told "'user-mode Linux real 1000'"))
    assert.equal("qemu-system-x86_64 virtual integer 0 true", (told "'qemu-system-x86_64 virtual 0'"))
  end)

  it("is in no guest without it, or if it says something else", function()
    for _, variable in ipairs { "''", "'virtual'", "'qemu virtual'", "'qemu virtual 1x'" } do
      assert.equal("nil nil nil nil false", (told(variable)))
    end
  end)
end)
