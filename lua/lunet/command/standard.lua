--- The parts that all commands share: their parsers, results on standard output, complaints on standard error.
local dependency = require "lunet.text.dependency"
local text = require "lunet.text.width"
local verdict = require "lunet.run.verdict"

local argparse = dependency "argparse"

local standard = {}

-- The stream at the start: a script may change print and io.stdout.
local stdout = io.stdout

--- Makes the parser of a command.
---@param name string the command or file, as on the command line
---@param description string
---@param epilog string the exit statuses
function standard.parser(name, description, epilog)
  local parser = argparse("lunet " .. name, description):add_help(false)
  parser:usage_max_width(80):help_max_width(80):epilog(epilog)
  parser:flag "-h --help":description "Show this and exit."
  return parser
end

--- Prints a text.
---@param words string
---@return boolean? ok
---@return string? why
function standard.print(words)
  local ok, why = stdout:write(words, "\n")
  if ok then ok, why = stdout:flush() end
  return ok, why
end

--- Complains on standard error.
---@param words string
function standard.complain(words) io.stderr:write("lunet: " .. text.lines_shown(words) .. "\n") end

--- Prints a text, and complains if that fails.
---@param words string
---@param name? string the experiment's, for the complaint
---@return boolean? ok
function standard.tell(words, name)
  local ok, why = standard.print(words)
  if not ok then standard.complain((name and name .. ": " or "") .. "standard output: " .. why) end
  return ok
end

--- Prints the help of a command.
---@return integer status the program's exit status
function standard.help(parser, name)
  return standard.tell(text.lines_shown(parser:get_help()), name) and verdict.DONE or verdict.COULD_NOT_RUN
end

--- Complains of wrong use.
---@param name string the command or experiment
---@param why string argparse may add a second line, with a similar option
---@return integer status the program's exit status
function standard.misuse(name, why)
  standard.complain(("%s: %s"):format(name, (why:gsub("%c+", " "))))
  return verdict.WRONG_USE
end

--- Complains that a command could not do its work.
---@param name string the command
---@param why string
---@return integer status the program's exit status
function standard.could_not_run(name, why)
  standard.complain(("%s: %s"):format(name, why))
  return verdict.COULD_NOT_RUN
end

return standard
