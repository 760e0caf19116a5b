local container = require "lunet.network.container"

-- The answer where only this file is there.
local function where(file, ask)
  local open = io.open
  local _restored <close> = setmetatable({}, { __close = function() io.open = open end }) -- luacheck: ignore 122
  io.open = function(path) return path == file and open "/dev/null" or nil end -- luacheck: ignore 122
  return ask()
end

describe("a container", function()
  it("is known by its file, which tells the command that allows more", function()
    local function commands()
      return { container.command "filter", container.command "settings", container.command "power",
        container.command "networks" }
    end
    assert.same({ "docker run --security-opt seccomp=unconfined ...",
      "docker run --security-opt systempaths=unconfined ...", "docker run --cap-add SYS_ADMIN ...",
      "docker run --cap-add NET_ADMIN ..." },
      where("/.dockerenv", commands))
    assert.same({ "podman run --security-opt seccomp=unconfined ...", "podman run --security-opt unmask=ALL ...",
      "podman run --cap-add SYS_ADMIN ...", "podman run --cap-add NET_ADMIN ..." },
      where("/run/.containerenv", commands))
    local elsewhere = where(nil, commands)
    assert.matches("RestrictNamespaces=no", elsewhere[1], 1, true)
    assert.matches("ProtectKernelTunables=no", elsewhere[2], 1, true)
  end)

  it("has a read-only /proc/sys, whose reason and command go together", function()
    assert.same({ "/proc/sys is mounted read-only, as in a container", "podman run --security-opt unmask=ALL ..." },
      where("/run/.containerenv", function() return { container.read_only() } end))
  end)
end)
