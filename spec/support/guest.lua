--- Runs lunet under Linux 6.1, as the group kernels has fetched it.
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"

local BOUND = 600 -- seconds; for a guest that boots and runs a script: a few on a quiet machine
local SOURCE = os.getenv "LUNET_SOURCE"

local guest = {}

guest.CACHE = SOURCE .. "/build/kernels"

--- Why there is no guest, if there is none.
---@param engine "uml"|"qemu"
---@return string|nil
function guest.reason(engine)
  local here = false
  local lfs = require "lfs"
  local directory = guest.CACHE .. "/lunet/kernels"
  if lfs.attributes(directory, "mode") == "directory" then
    for name in lfs.dir(directory) do here = here or name:find("^" .. engine .. "%-6%.1%.") ~= nil end
  end
  if engine == "qemu" and not require "lunet.run.needs".find(require "lunet.kernel.qemu".NEEDS) then here = false end
  return not here and "the group kernels is not here (script/packages kernels)" or nil
end

--- Makes a function that declares specs which need a guest. A sanitizer's memory has no room in a guest, so they are
--- tagged #no_sanitizer.
---@param busted table the environment of the spec, whose `it` and `pending` it takes
---@param engine? "uml"|"qemu" default "uml"
---@return fun(description: string, body: fun())
function guest.specs(busted, engine)
  return function(description, body)
    busted.it(description .. " #no_sanitizer", function()
      local why = guest.reason(engine or "uml")
      if why then return busted.pending(why) end
      body()
    end)
  end
end

--- A scratch directory that everybody can read, as the guest's user 1000.
---@return lunet.scratch
function guest.place()
  local place = scratch.open()
  assert(os.execute("chmod a+rx " .. place.path))
  return place
end

--- Writes a script that everybody can read.
---@param place lunet.scratch
---@param text string
---@return string path
function guest.script(place, text)
  local path = place:write("script.lua", text)
  assert(os.execute("chmod a+r " .. path))
  return path
end

--- The words that run lunet under Linux 6.1.
---@param ... string the options of --kernel, a script, and the words after it
---@return lunet.program
function guest.program(...)
  return { os.getenv "LUNET", "--kernel", "6.1", env = { XDG_CACHE_HOME = guest.CACHE }, ... }
end

--- Runs lunet under Linux 6.1.
---@param ... string as guest.program takes them
---@return string output with its errors
---@return integer|string status
function guest.run(...)
  local words = guest.program(...)
  words.stderr = "stdout"
  local process <close> = assert(lunet.exec(words))
  local output = assert(process.stdout:receive("a", BOUND))
  return output, process:wait(BOUND)
end

return guest
