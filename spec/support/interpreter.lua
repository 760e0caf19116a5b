--- The programs `lunet` and `lua5.4` as their user meets them. Every call starts a real process, in a directory that
--- lasts from open() to close().
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local quote = program.quote
local BOUND = ("timeout -k 1 %d "):format(require "spec.support.bound")

local interpreter = {}

local function first_line(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "l"
end

interpreter.lunet = first_line("realpath " .. quote(os.getenv "LUNET" or arg[-1]))
interpreter.stock = os.getenv "LUA" or first_line "command -v lua5.4"
interpreter.busted = first_line "command -v busted"

local place

--- Makes the directory: for setup.
function interpreter.open() place = scratch.open() end

--- Removes it: for teardown.
function interpreter.close() place:close() end

--- Writes a file of the directory.
---@param name string
---@param text string
function interpreter.write_file(name, text) place:write(name, text) end

--- Runs a shell command in the directory, for a bounded time.
---@param command string
---@param input string? standard input
---@return {status: integer, output: string, errors: string}
function interpreter.shell(command, input)
  place:write("input", input or "")
  local _, _, status = os.execute(
    "cd " .. place.path .. " && unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4 && " .. BOUND .. "sh -c "
      .. quote(command) .. " <input >output 2>errors")
  return { status = status, output = place:read "output", errors = place:read "errors" }
end

--- Runs lunet so.
---@param arguments string
---@param input string? standard input
---@return {status: integer, output: string, errors: string}
function interpreter.run(arguments, input) return interpreter.shell(interpreter.lunet .. " " .. arguments, input) end

--- Starts lunet and sends it Ctrl-C when it has printed "ready".
---@param arguments string
---@return {status: integer, output: string} result what it printed after that, and its status
function interpreter.interrupt(arguments)
  local command = "cd " .. place.path .. " && exec " .. BOUND .. "sh -c "
    .. quote("echo $$; exec " .. interpreter.lunet .. " " .. arguments) .. " 2>&1"
  local pipe = assert(io.popen(command))
  local process = pipe:read "l"
  assert(pipe:read "l" == "ready")
  assert(os.execute("kill -INT " .. process))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return { status = status, output = output }
end

return interpreter
