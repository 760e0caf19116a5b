--- Programs in processes of their own: scripts under lunet, or under a stock lua5.4 that loads lunet
--- as a module. Each is bounded: `timeout` ends what hangs with status 124.
local program = {}

local BOUND = ("timeout -k 1 %d "):format(require "spec.support.bound")

--- A text as a word of a shell command.
---@param text string
---@return string
function program.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local quote = program.quote

local function read_away(name)
  local file = assert(io.open(name))
  local text = file:read "a"
  file:close()
  os.remove(name)
  return text
end

--- Runs a shell command, bounded.
---@param command string
---@return {status: integer, output: string, errors: string}
function program.shell(command)
  local output, errors = os.tmpname(), os.tmpname()
  local _, how, status = os.execute(
    ("%ssh -c %s >%s 2>%s </dev/null"):format(BOUND, quote(command), output, errors))
  if how == "signal" then status = 128 + status end
  return { status = status, output = read_away(output), errors = read_away(errors) }
end

local function run(interpreter, text)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
  local result = program.shell("exec " .. interpreter .. " " .. name)
  os.remove(name)
  result.script = name
  return result
end

--- Runs a script under lunet.
---@param text string
---@return {status: integer, output: string, errors: string, script: string} the script's file name too
function program.lunet(text)
  return run(quote(os.getenv "LUNET"), text)
end

--- Runs a shell command where it may mount, also as an ordinary user, and what it mounts ends with it.
---@param command string PLACE stands for the place
---@param place string a directory
---@return {status: integer, output: string, errors: string}
function program.shell_with_mounts(command, place)
  return program.shell("exec unshare --user --map-root-user --mount sh -c "
    .. quote((command:gsub("PLACE", (place:gsub("%%", "%%%%"))))))
end

--- Runs a script under the stock interpreter, where `require "lunet"` finds the module of the build.
---@param text string
---@return {status: integer, output: string, errors: string, script: string}
function program.stock(text)
  local build = os.getenv "LUNET_BUILD"
  local preload = os.getenv "LUNET_PRELOAD"
  local environment = ("env -u LUA_INIT -u LUA_INIT_5_4 LUA_PATH=%s LUA_CPATH=%s %s"):format(
    quote(("%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua;;"):format(build, build)),
    quote(("%s/lib/lua/5.4/?.so;;"):format(build)),
    preload and "LD_PRELOAD=" .. quote(preload) or "")
  return run(environment .. " " .. quote(os.getenv "LUA"), text)
end

return program
