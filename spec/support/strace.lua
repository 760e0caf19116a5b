--- Scripts under lunet in a process of their own, with the system calls that they make.
local program = require "spec.support.program"

local strace = {}

local function read_away(name)
  local lines = {}
  for line in io.lines(name) do lines[#lines + 1] = line end
  os.remove(name)
  return lines
end

--- Runs a script under lunet and strace.
---@param calls string the system calls to trace, as in `strace -e trace=`
---@param text string the script
---@return string[] lines one for a system call, in order
---@return {status: integer, output: string, errors: string} result
function strace.run(calls, text)
  local script, trace = os.tmpname(), os.tmpname()
  local file = assert(io.open(script, "w"))
  file:write(text)
  file:close()
  -- A process cannot be traced twice, as the sanitizer's search for leaks would need it to be.
  local result = program.shell(
    ("ASAN_OPTIONS=detect_leaks=0 exec strace -f -qq -e trace=%s -e signal=none -o %s '%s' %s")
      :format(calls, trace, os.getenv "LUNET", script))
  os.remove(script)
  return read_away(trace), result
end

return strace
