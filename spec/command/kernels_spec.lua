local dkjson = require "dkjson"
local image = require "lunet.kernel.image"
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local BOUND <const> = require "spec.support.bound" -- for the package client that finds no network

describe("lunet kernels", function()
  local place, host
  before_each(function()
    place, host = scratch.open(), assert(lunet.host "offline")
    place:write("lunet/kernels/uml-9.8.7/linux", ("x"):rep(3000001))
    place:write("lunet/kernels/qemu-9.8.8/package", "linux-image-9.8-cloud-amd64")
    place:write("lunet/kernels/saved-9.8.8-0123456789ab/state", ("x"):rep(2000001))
  end)
  after_each(function()
    host:close()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  -- On a host without a network.
  local function kernels(...)
    local words = { os.getenv "LUNET", "kernels", stderr = "keep", env = { XDG_CACHE_HOME = place.path }, ... }
    local process <close> = assert(host:exec(words))
    local output, errors = process.stdout:receive("a", BOUND), process.stderr:receive("a", BOUND)
    return process:wait(BOUND), output, errors
  end

  it("shows the cache without a network, and keeps nothing of what it cannot fetch", function()
    local status, output, errors = kernels()
    assert.equal(0, status, errors)
    assert.matches("\n9%.8 +user%-mode Linux +9%.8%.7 +4\n", output)
    assert.matches("\n9%.8 +qemu%-system%-x86_64 +9%.8%.8 +3\n", output)
    assert.matches("The cache is " .. place.path .. "/lunet/kernels", output, 1, true)
    assert.matches("lunet: note: Debian's lists of kernels: ", errors, 1, true)
    status, output, errors = kernels("--fetch", "6.1")
    assert.same({ 3, "" }, { status, output })
    assert.matches("\nlunet: kernels: Debian's lists of kernels: ", errors, 1, true)
    assert.equal("apt\nlock\nqemu-9.8.8\nsaved-9.8.8-0123456789ab\numl-9.8.7\n",
      program.shell(("LC_ALL=C ls -A %s/lunet/kernels"):format(place.path)).output)
  end)

  it("does not take a kernel that another lunet has fetched, with other modules", function()
    local status, _, errors = kernels("--fetch", "9.8")
    assert.equal(3, status)
    assert.matches("Debian's lists of kernels: ", errors, 1, true)
    place:write("lunet/kernels/uml-9.8.7/contents", require "lunet.kernel.uml".CONTENTS)
    assert.equal(0, (kernels("--fetch", "9.8")))
  end)

  it("prints JSON", function()
    place:write("lunet/kernels/apt/fetched", "") -- no lists, but new ones
    local status, output = kernels "--json"
    assert.equal(0, status)
    assert.same({ cache = place.path .. "/lunet/kernels",
      kernels = { { kernel = "9.8", engine = "user-mode Linux", cached = "9.8.7", megabytes = 4 },
        { kernel = "9.8", engine = "qemu-system-x86_64", cached = "9.8.8", megabytes = 3 } } }, (dkjson.decode(output)))
  end)

  it("removes a kernel by the beginning of its version, and says if there is none", function()
    local status, output, errors = kernels("--remove", "9.80")
    assert.same({ 3, "", "lunet: kernels: there is no Linux 9.80 in the cache\n" }, { status, output, errors })
    status, output = kernels("--remove", "9.8")
    assert.same({ 0, "removed qemu-9.8.8, saved-9.8.8-0123456789ab, uml-9.8.7\n" }, { status, output })
    assert.is_nil(io.open(place.path .. "/lunet/kernels/uml-9.8.7/linux"))
  end)

  it("says that its disk is full before it fetches", function()
    local result = program.shell_with_mounts(("mount -t tmpfs -o size=9m none PLACE && XDG_CACHE_HOME=PLACE %s "
      .. "kernels --fetch 6.1"):format(os.getenv "LUNET"), place.path)
    assert.same({ 3, "" }, { result.status, result.output })
    assert.matches("^lunet: kernels: Debian's lists of kernels: .*: No space left on device: %d MB are free, and 150 "
      .. "MB are needed\n$", result.errors)
  end)

  it("takes one thing to do", function()
    local status, output, errors = kernels("--fetch", "6.1", "--json")
    assert.same({ 2, "" }, { status, output })
    assert.matches("lunet: kernels: option '--json' can not be used together with option '--fetch'", errors, 1, true)
    status, output, errors = kernels "--virtual-time"
    assert.same({ 2, "" }, { status, output })
    assert.matches("lunet: kernels: --virtual-time goes with --fetch (known: --help, ", errors, 1, true)
  end)

  it("says where a cache should be if it has no place", function()
    local result = program.shell(("env -u XDG_CACHE_HOME -u HOME %s kernels --fetch 6.1"):format(
      program.quote(os.getenv "LUNET")))
    assert.same({ 3, "lunet: kernels: neither XDG_CACHE_HOME nor HOME names a directory\n" },
      { result.status, result.errors })
  end)

  describe("fetches", function()
    -- A package client that has one package of a kernel: a directory, made into a package that may be cut off.
    local CLIENT <const> = [[#!/bin/sh
case "$(basename "$0") $*" in
*madison*) echo "PACKAGE | 9.7.1um1 | http://mirror.invalid/debian bookworm/main amd64 Packages" ;;
*pkgnames*) echo PACKAGE ;;
*download*) FETCH ;;
esac
]]
    local function fetch(package, how, ...)
      for _, name in ipairs { "apt-get", "apt-cache" } do
        local text = CLIENT:gsub("%u%u%u%u%u+", { PACKAGE = package, FETCH = how })
        program.shell("chmod +x " .. place:write("bin/" .. name, text))
      end
      local words = { os.getenv "LUNET", "kernels", "--fetch", "9.7", ..., stderr = "keep",
        env = { XDG_CACHE_HOME = place.path .. "/cache", PATH = place.path .. "/bin:" .. os.getenv "PATH" } }
      local process <close> = assert(host:exec(words))
      local errors = process.stderr:receive("a", BOUND)
      return process:wait(BOUND), errors
    end

    local function assert_refused(message, status, errors)
      assert.equal(3, status, errors)
      assert.matches(message, errors, 1, true)
      assert.equal("apt\nlock\n", program.shell(("LC_ALL=C ls -A %s/cache/lunet/kernels"):format(place.path)).output)
    end

    -- Makes a package of files, each with its path as text.
    local function build(...)
      place:write("package/DEBIAN/control", "Package: kernel\nVersion: 1\nArchitecture: all\nMaintainer: nobody\n"
        .. "Description: none\n")
      for _, path in ipairs { ... } do place:write("package/" .. path, path) end
      local made = program.shell(("dpkg-deb -b %s/package %s/whole 2>&1"):format(place.path, place.path))
      assert.equal(0, made.status, made.output)
      return place.path .. "/whole"
    end

    it("nothing if a download fails, or is cut off", function()
      assert_refused("apt-get: E: Failed to fetch it  Hash Sum mismatch",
        fetch("user-mode-linux", "echo 'E: Failed to fetch it  Hash Sum mismatch'; exit 100"))
      local whole = build "usr/bin/linux.uml"
      assert_refused("dpkg-deb: ", fetch("user-mode-linux", ("head -c 300 %s >kernel.deb"):format(whole)))
    end)

    it("nothing of a package without what a guest needs, and names that", function()
      assert_refused("user-mode-linux has no modules",
        fetch("user-mode-linux", ("cp %s kernel.deb"):format(build "usr/bin/linux.uml")))
      assert_refused("/modules/9.7.1/modules.dep\n", fetch("user-mode-linux",
        ("cp %s kernel.deb"):format(build("usr/bin/linux.uml", "bin/busybox", "usr/lib/uml/modules/9.7.1/one"))))
    end)

    it("nothing of a kernel without a module that a guest needs, and names that", function()
      local is_here, missing = needs.find(image.NEEDS)
      if not is_here then return pending("the group kernels is not here (script/packages kernels): " .. missing) end
      assert_refused("the kernel has no ", fetch("linux-image-9.7.1-cloud-amd64",
        ("cp %s kernel.deb"):format(build("boot/vmlinuz-9.7.1", "lib/modules/9.7.1/modules.order")), "--virtual-time"))
    end)
  end)
end)
