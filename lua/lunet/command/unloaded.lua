--- Gives a record to a script without an experiment to run, if its words ask for one: lunet could not load it, or it
--- declares an experiment and does not return it.
local outputs = require "lunet.command.outputs"
local record = require "lunet.run.record"
local run = require "lunet.run.run"
local standard = require "lunet.command.standard"
local verdict = require "lunet.run.verdict"

local unloaded = {}

-- The knobs are unknown, and so argparse cannot read the words.
local function options_of(arguments)
  local options = {}
  for i, word in ipairs(arguments) do
    if word == "--json" then options.json = true end
    options.trace = word == "--trace" and arguments[i + 1] or word:match "^%-%-trace=(.*)" or options.trace
  end
  return options
end

--- Complains, prints the record if --json is among the words, and writes it to the file of --trace.
---@param why any the error
---@param script string the script's file name
---@param arguments string[] the words after it
---@return integer status the program's exit status
function unloaded.run(why, script, arguments)
  local options, failed = options_of(arguments), run.unloaded(script, tostring(why))
  standard.complain(tostring(why))
  if options.json then standard.tell(record.encode(failed:record())) end
  local files, trouble = outputs.open({ trace = options.trace }, script)
  local ok = files
  if files then ok, trouble = files:write(failed) end
  if not ok then standard.complain(trouble) end
  return verdict.COULD_NOT_RUN
end

return unloaded
