-- LuaRocks builds and installs the rockspec, and a stock lua5.4 loads what it installed. LuaRocks moves only what is in
-- the places that it names, and says nothing of other files: those of `lib/lua/5.4` in its prefix, for example.
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local quote = program.quote
local HAS_LUAROCKS <const> = os.execute "command -v luarocks >/dev/null"
local MISSING <const> = "luarocks is not installed (script/packages release)"

describe("the rock", function()
  it("loads in a stock lua5.4 from where LuaRocks put it, and has the program", function()
    if not HAS_LUAROCKS then return pending(MISSING) end
    local place <close> = scratch.open()
    -- It compiles all of the core: longer than program.shell allows.
    local function shell(command)
      local pipe <close> = assert(io.popen(("cd %s && unset LUA_INIT LUA_PATH LUA_CPATH && (%s) 2>&1 </dev/null")
        :format(quote(place.path), command)))
      local output = pipe:read "a"
      return { select(3, pipe:close()), output }
    end

    assert.same({ 0, "" }, shell(("mkdir source && tar -C %s --exclude=./build --exclude='./.*' -cf - . | "
      .. "tar -C source -xf -"):format(quote(os.getenv "LUNET_SOURCE"))))
    local made = shell("cd source && HOME=" .. quote(place.path)
      .. " luarocks make --lua-version 5.4 --deps-mode none --tree " .. quote(place.path .. "/tree"))
    assert.equal(0, made[1], made[2])

    local paths = ('eval "$(HOME=%s luarocks --lua-version 5.4 --tree %s path)" && '):format(quote(place.path),
      quote(place.path .. "/tree"))
    local core = place.path .. "/tree/lib/lua/5.4/lunet/core.so"
    assert.same({ 0, core .. "\n0\n" }, shell(paths .. quote(os.getenv "LUA") .. [[ -e 'local lunet = require "lunet"
      print(package.searchpath("lunet.core", package.cpath)) print(lunet.exec { "true" }:wait())']]))
    assert.same({ 0, "0\n" }, shell [[tree/bin/lunet -e 'print(require("lunet").exec { "true" }:wait())']])
    local ran = shell "tree/bin/lunet source/experiments/stale_replay.lua"
    assert.same({ 0, "The claim holds" }, { ran[1], ran[2]:match "The claim holds" })
  end)
end)
