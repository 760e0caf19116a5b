local image = require "lunet.kernel.image"
local scratch = require "lunet.peer.scratch"

describe("a kernel's file", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  -- The beginning of a bzImage: its mark, and where its version stands.
  local function header(version)
    local text = ("\0"):rep(0x202) .. "HdrS" .. ("\0"):rep(8) .. ("<I2"):pack(0x100)
    return text .. ("\0"):rep(0x300 - #text) .. version .. "\0"
  end

  it("names its release", function()
    local kernel = assert(image.of_file(place:write("bzImage", header "9.8.7-mine (me@here) #1 SMP"), place))
    assert.equal("9.8.7-mine", kernel.release)
    assert.is_true(kernel.is_passing)
  end)

  it("has the mark of one", function()
    local path = place:write("bzImage", "\127ELF")
    local kernel, why = image.of_file(path, place)
    assert.same({ nil, path .. ": this is no kernel of x86 (bzImage)" }, { kernel, why })
    kernel, why = image.of_file(place.path .. "/none", place)
    assert.is_nil(kernel)
    assert.matches("/none: No such file or directory", why, 1, true)
  end)
end)
