-- From a fresh copy of the sources to an installed lunet, as README says, and back to nothing.
local lfs = require "lfs"
local listing = require "spec.support.listing"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local quote = program.quote

describe("a fresh copy of the sources", function()
  local place
  setup(function()
    place = scratch.open()
    local source, tree = os.getenv "LUNET_SOURCE", place.path .. "/tree"
    assert(lfs.mkdir(tree))
    for part in lfs.dir(source) do
      if part:sub(1, 1) ~= "." and part ~= "build" then
        assert(os.execute(("cp -r %s %s"):format(quote(source .. "/" .. part), quote(tree))))
      end
    end
  end)
  teardown(function() place:close() end)

  -- It compiles all of the core: longer than program.shell allows.
  local function shell(command)
    local pipe <close> = assert(io.popen(("cd %s/tree && unset LUA_INIT LUA_PATH LUA_CPATH && (%s) 2>&1 </dev/null")
      :format(quote(place.path), command)))
    local output = pipe:read "a"
    return select(3, pipe:close()), output
  end

  local function is_there(directory) return lfs.attributes(place.path .. "/" .. directory) ~= nil end

  it("is refused to be installed before it is built, and nothing is", function()
    local status, output = shell "cmake --preset release >/dev/null && cmake --install build/release --prefix ../early"
    assert.equal(1, status)
    assert.matches("nothing is installed, since lunet is not built", output:gsub("%s+", " "), 1, true)
    assert.is_false(is_there "early")
  end)

  -- Whether an installed program says where its experiments and documents are, and they are there.
  local function assert_places(prefix)
    local _, help = shell(prefix .. "/bin/lunet --help")
    local real = place.path .. prefix:gsub("'", ""):gsub("^%.%.", "")
    for what, path in pairs { Experiments = "/share/lunet/experiments", Documents = "/share/doc/lunet" } do
      assert.equal(real .. path, help:match("\n" .. what .. ": ([^\n]*)\n"))
    end
    local _, registers = shell(prefix
      .. "/bin/lunet -e 'print(require \"lunet.kernel.parts\".find \"libexec/lunet/uml-registers.so\")'")
    assert.equal(real .. "/libexec/lunet/uml-registers.so\n", registers)
    local share = real .. "/share/"
    for _, file in ipairs { "lunet/experiments/stale_replay.lua", "doc/lunet/README.md", "doc/lunet/doc/design.md",
      "man/man1/lunet.1", "man/man1/lunet-queues.1", "man/man1/lunet-sweep.1", "bash-completion/completions/lunet" } do
      assert.equal("file", lfs.attributes(share .. file, "mode"), file)
    end
  end

  it("is packed by cpack into a tar file that runs wherever it is unpacked, and nothing is installed", function()
    local status, output = shell "script/build release lunet core && cd build/release && cpack -B ../packed"
    assert.equal(0, status, output)
    status, output = shell
      "mkdir ../unpacked && tar -C ../unpacked --strip-components 1 -xzf build/packed/lunet-*.tar.gz"
    assert.same({ 0, "" }, { status, output })
    assert_places "../unpacked"
    status, output = shell "../unpacked/bin/lunet ../unpacked/share/lunet/experiments/stale_replay.lua"
    assert.same({ 0, "The claim holds" }, { status, output:match "The claim holds" })
    assert.matches("nothing was installed from this build", select(2, shell
      "cmake --build build/release --target uninstall"), 1, true)
  end)

  it("runs by script/run, is installed by cmake --install, runs from there, and is removed whole", function()
    local status, output = shell "script/run experiments/stale_replay.lua"
    assert.same({ 0, "The claim holds" }, { status, output:match "The claim holds" })
    local there = place.path .. "/there"
    assert(lfs.mkdir(there) and lfs.mkdir(there .. "/bin") and lfs.mkdir(there .. "/share"))
    assert.equal(0, (shell "cmake --install build/release --prefix ../there"))
    assert.equal(0, (shell "cmake --install build/release --prefix '../new one/deep'"))
    for _, prefix in ipairs { "../there", "'../new one/deep'" } do
      assert_places(prefix)
      status, output = shell(("%s/bin/lunet %s/share/lunet/experiments/stale_replay.lua"):format(prefix, prefix))
      assert.same({ 0, "The claim holds" }, { status, output:match "The claim holds" })
      local module = ([[LUA_PATH="$(realpath %s)/share/lua/5.4/?.lua;$(realpath %s)/share/lua/5.4/?/init.lua;;"
        LUA_CPATH="$(realpath %s)/lib/lua/5.4/?.so;;"]]):format(prefix, prefix, prefix):gsub("\n", " ")
      status, output = shell(module .. [[ lua5.4 -e 'print(require("lunet").exec { "true" }:wait())']])
      assert.same({ 0, "0\n" }, { status, output })
    end
    status, output = shell "cmake --build build/release --target uninstall"
    assert.same({ 0, output }, { status, output })
    assert.same({ { "bin", "share" }, {}, {} },
      { listing(there), listing(there .. "/bin"), listing(there .. "/share") })
    assert.is_false(is_there "new one")
  end)
end)
