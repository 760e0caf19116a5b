--- Gives a record to a script without an experiment to run, if its words ask for one: lunet could not load it, or it
--- declares an experiment and does not return it. core/main.c has the words that ask for one.
local outputs = require "lunet.command.outputs"
local record = require "lunet.run.record"
local run = require "lunet.run.run"
local standard = require "lunet.command.standard"
local tap = require "lunet.files.tap"
local verdict = require "lunet.run.verdict"

local unloaded = {}

-- The knobs are unknown, and so argparse cannot read the words.
local function options_of(arguments)
  local options = {}
  for i, word in ipairs(arguments) do
    if word == "--json" or word == "--tap" then options[word:sub(3)] = true end
    for _, name in ipairs { "trace", "junit" } do
      local is_next = word == "--" .. name
      options[name] = is_next and arguments[i + 1] or word:match("^%-%-" .. name .. "=(.*)") or options[name]
    end
  end
  return options
end

--- Complains, prints the record if --json or --tap is among the words, and writes it to the files of --trace and
--- --junit.
---@param why any the error
---@param script string the script's file name
---@param arguments string[] the words after it
---@return integer status the program's exit status
function unloaded.run(why, script, arguments)
  local options, failed = options_of(arguments), run.unloaded(script, tostring(why))
  standard.complain(tostring(why))
  if options.json then standard.tell(record.encode(failed:record()))
  elseif options.tap then standard.tell(tap.of_records { failed:listed() }) end
  local files, trouble = outputs.open({ trace = options.trace, junit = options.junit }, script)
  local ok = files
  if files then ok, trouble = files:write(failed) end
  if not ok then standard.complain(trouble) end
  return verdict.COULD_NOT_RUN
end

return unloaded
