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
---@param arguments? string what follows it on the command line
---@return string[] lines one for a system call, in order
---@return {status: integer, output: string, errors: string} result
function strace.run(calls, text, arguments)
  local script, trace = os.tmpname(), os.tmpname()
  local file = assert(io.open(script, "w"))
  file:write(text)
  file:close()
  -- A process cannot be traced twice, as the sanitizer's search for leaks would need it to be.
  local result = program.shell(
    ("ASAN_OPTIONS=detect_leaks=0 exec strace -f -qq -e trace=%s -e signal=none -o %s '%s' %s %s")
      :format(calls, trace, os.getenv "LUNET", script, arguments or ""))
  os.remove(script)
  return read_away(trace), result
end

--- Runs a script under lunet, one of whose system calls fails.
---@param call string its name: "socket"
---@param number integer the first is 1
---@param code string why it fails: "EMFILE"
---@param path string the script's file name
---@param arguments? string what follows it on the command line
---@return {status: integer, output: string, errors: string} result
function strace.inject(call, number, code, path, arguments)
  return program.shell(
    ("ASAN_OPTIONS=detect_leaks=0 exec strace -qq -o /dev/null -e trace=%s -e inject=%s:error=%s:when=%d '%s' %s %s")
      :format(call, call, code, number, os.getenv "LUNET", path, arguments or ""))
end

return strace
