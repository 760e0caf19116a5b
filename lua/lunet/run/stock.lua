--- An experiment's file under a stock interpreter, which loads it, runs nothing and is content: the script's end then
--- says how to run it. The lunet program runs it itself.
local verdict = require "lunet.run.verdict"

local stock = {}

local unrun -- the experiment that the script itself declares, until it is run

local function remind()
  if not unrun then return end
  io.stderr:write(("lunet: %s was not run: it declares an experiment, which a stock Lua only loads. Run it by: "
    .. "lunet %s\n"):format(arg[0], table.concat(arg, " ", 0)))
  os.exit(verdict.COULD_NOT_RUN)
end

local function is_of_script(experiment)
  return type(arg) == "table" and debug.getinfo(experiment.run, "S").source == "@" .. tostring(arg[0])
end

--- To be called with every experiment that is declared.
function stock.declared(experiment)
  if package.preload["lunet.core"] or unrun or not is_of_script(experiment) then return end
  unrun = experiment
  stock.finalizer = setmetatable({}, { __gc = remind }) -- at the end of the state, since package.loaded keeps it
end

--- To be called with every experiment that is run.
function stock.ran(experiment)
  if experiment == unrun then unrun = nil end
end

return stock
