-- lunet leaves nothing behind, however it ends (core/platform/leftovers.c, core/remover.c).
local lunet = require "lunet"

local BOUND <const> = require "spec.support.bound"

local OPEN <const> = [[
  local place = require "lunet.peer.scratch".open()
  place:write("a/b", "x")
  print(place.path)
  io.stdout:flush()
]]

local function exists(path) return os.rename(path, path) == true end

-- The words that run a text of Lua, by lunet or by a stock lua5.4.
local interpreters = {
  lunet = function(text) return { os.getenv "LUNET", "-e", text, stdin = "pipe" } end,
  ["a stock lua5.4"] = function(text)
    local build = os.getenv "LUNET_BUILD"
    return { os.getenv "LUA", "-e", text, stdin = "pipe", env = {
      LUA_PATH = ("%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua;;"):format(build, build),
      LUA_CPATH = build .. "/lib/lua/5.4/?.so;;", LD_PRELOAD = os.getenv "LUNET_PRELOAD" or false,
    } }
  end,
}

for name, words in pairs(interpreters) do
  describe("a scratch directory of " .. name .. " is gone", function()
    -- Starts the script, which opens a directory and prints its path.
    local function start(text)
      local process = assert(lunet.exec(words(OPEN .. text)))
      local path = assert(process.stdout:receive("l", BOUND))
      assert.is_true(exists(path))
      return process, path
    end

    local function assert_gone(path)
      assert(lunet.eventually(function() return not exists(path) end, BOUND), path .. " is left")
    end

    for _, ending in ipairs { "os.exit(0)", "os.exit(0, true)", "error 'no luck'", "" } do
      it("when the script ends by " .. (ending == "" and "itself" or ending), function()
        local process <close>, path = start("io.read() " .. ending)
        process.stdin:close()
        assert(process:wait(BOUND))
        assert_gone(path)
      end)
    end

    for _, signal in ipairs { "SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1" } do
      it("after " .. signal, function()
        local process <close>, path = start "while true do end"
        assert(process:kill(signal))
        assert(process:wait(BOUND))
        assert_gone(path)
      end)
    end

    -- As when a service manager ends all processes of a service.
    it("after SIGTERM to every process, the remover too", function()
      local process <close>, path = start "while true do end"
      local numbers = {}
      for i, one in ipairs(assert(process:tree())) do numbers[i] = one.pid end
      assert.is_true(#numbers > 1)
      for i = #numbers, 1, -1 do assert(os.execute("kill -TERM " .. numbers[i])) end
      assert(process:wait(BOUND))
      assert_gone(path)
    end)
  end)
end
