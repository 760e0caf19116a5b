--- Programs that specs run by lunet.exec.
local lunet = require "lunet"

local BOUND = require "spec.support.bound"

local exec = {}

--- A program that runs a shell command.
---@param command string
---@param options? lunet.program more of its fields
---@return lunet.program
function exec.sh(command, options)
  options = options or {}
  table.move({ "sh", "-c", command }, 1, 3, 1, options)
  return options
end

--- A program that does nothing, for longer than any spec. spec/support/tagged.lua finds it by its nonce.
---@param nonce string
---@return lunet.program
function exec.sleeper(nonce)
  return { "sleep", "1000", env = { NONCE = nonce } }
end

--- All that a program prints, and how it ends.
---@param program lunet.program
---@return string output
---@return integer|string status
function exec.run(program)
  local process <close> = assert(lunet.exec(program))
  return assert(process.stdout:receive("a", BOUND)), process:wait(BOUND)
end

return exec
