-- From a fresh copy of the sources to an installed lunet, as README says, and back to nothing.
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local quote = program.quote

describe("a fresh copy of the sources", function()
  local place
  setup(function()
    place = scratch.open()
    local source, tree = quote(os.getenv "LUNET_SOURCE"), quote(place.path .. "/tree")
    assert(os.execute(("mkdir %s && cd %s && for part in *; do case $part in build) ;; "
      .. "*) cp -r $part %s || exit 1 ;; esac; done"):format(tree, source, tree)))
  end)
  teardown(function() place:close() end)

  -- It compiles all of the core: longer than program.shell allows.
  local function shell(command)
    local pipe <close> = assert(io.popen(("cd %s/tree && unset LUA_INIT LUA_PATH LUA_CPATH && (%s) 2>&1 </dev/null")
      :format(quote(place.path), command)))
    local output = pipe:read "a"
    return select(3, pipe:close()), output
  end

  local function listed(directory)
    local _, output = shell(("find %s/%s -mindepth 1 2>&1 | sort"):format(quote(place.path), directory))
    return output
  end

  it("is refused to be installed before it is built, and nothing is", function()
    local status, output = shell "cmake --preset release >/dev/null && cmake --install build/release --prefix ../early"
    assert.equal(1, status)
    assert.matches("nothing is installed, since lunet is not built", output:gsub("%s+", " "), 1, true)
    assert.matches("No such file", (listed "early"), 1, true)
  end)

  it("runs by script/run, is installed by cmake --install, runs from there, and is removed whole", function()
    local status, output = shell "script/run experiments/stale_replay.lua"
    assert.same({ 0, "The claim holds" }, { status, output:match "The claim holds" })
    assert.equal(0, (shell "mkdir -p ../there/bin ../there/share && cmake --install build/release --prefix ../there"))
    assert.equal(0, (shell "cmake --install build/release --prefix '../new one/deep'"))
    for _, prefix in ipairs { "../there", "'../new one/deep'" } do
      status, output = shell(("%s/bin/lunet %s/share/lunet/experiments/stale_replay.lua"):format(prefix, prefix))
      assert.same({ 0, "The claim holds" }, { status, output:match "The claim holds" })
      local module = ([[LUA_PATH="$(realpath %s)/share/lua/5.4/?.lua;$(realpath %s)/share/lua/5.4/?/init.lua;;"
        LUA_CPATH="$(realpath %s)/lib/lua/5.4/?.so;;"]]):format(prefix, prefix, prefix):gsub("\n", " ")
      status, output = shell(module .. [[ lua5.4 -e 'print(require("lunet").exec { "true" }:wait())']])
      assert.same({ 0, "0\n" }, { status, output })
    end
    status, output = shell "cmake --build build/release --target uninstall"
    assert.same({ 0, output }, { status, output })
    assert.equal(("%s/there/bin\n%s/there/share\n"):format(place.path, place.path), listed "there")
    assert.matches("No such file", listed "'new one'", 1, true)
  end)
end)
