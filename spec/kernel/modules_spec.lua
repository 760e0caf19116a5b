local modules = require "lunet.kernel.modules"
local scratch = require "lunet.peer.scratch"

describe("modules", function()
  local place
  before_each(function()
    place = scratch.open()
    place:write("modules.dep", [[
net/bridge.ko.xz: net/stp.ko.xz net/llc.ko.xz net/ipv6.ko.xz lib/crc.ko.xz
net/stp.ko.xz: net/llc.ko.xz
net/llc.ko.xz:
net/ipv6.ko.xz: lib/crc.ko.xz
lib/crc.ko.xz:
net/veth.ko:
fw/qemu-cfg.ko.zst:
]])
    place:write("modules.builtin", "kernel/drivers/virtio/virtio-pci.ko\n")
  end)
  after_each(function() place:close() end)

  it("load behind those that they need, each once", function()
    local files = modules.files(place.path, { "bridge", "veth", "built_in" })
    local at = {}
    for i, file in ipairs(files) do
      assert.is_nil(at[file])
      at[file] = i
    end
    assert.equal(6, #files)
    assert.is_true(at["lib/crc.ko.xz"] < at["net/ipv6.ko.xz"] and at["net/ipv6.ko.xz"] < at["net/bridge.ko.xz"])
    assert.is_true(at["net/llc.ko.xz"] < at["net/stp.ko.xz"] and at["net/stp.ko.xz"] < at["net/bridge.ko.xz"])
  end)

  it("are missing unless they are a file or built in, whichever sign their names have", function()
    assert.is_nil(modules.missing(place.path, { "veth", "qemu_cfg", "virtio_pci" }))
    assert.equal("tls", modules.missing(place.path, { "veth", "tls", "sctp" }))
  end)
end)
