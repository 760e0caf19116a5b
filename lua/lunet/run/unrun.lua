--- Experiments that a script declares, and then neither runs nor returns: such a script would end in silence. Under a
--- stock interpreter, which runs no experiment by itself, the end of the script says how to run it.
local verdict = require "lunet.run.verdict"

local unrun = {}

local by_source = {} -- the experiment that each file declared last, until somebody runs it

local function source_of(experiment) return debug.getinfo(experiment.run, "S").source end

local function remind(script)
  if not by_source["@" .. script] then return end
  io.stderr:write(("lunet: %s was not run: it declares an experiment, which a stock Lua only loads. Run it by: "
    .. "lunet %s\n"):format(script, table.concat(arg, " ", 0)))
  os.exit(verdict.COULD_NOT_RUN)
end

--- Call this with every experiment that is declared.
function unrun.declared(experiment)
  local source, script = source_of(experiment), type(arg) == "table" and tostring(arg[0])
  by_source[source] = experiment
  if package.preload["lunet.core"] or unrun.finalizer or source ~= "@" .. tostring(script) then return end
  -- package.loaded keeps this module, so that the finalizer runs when the state closes.
  unrun.finalizer = setmetatable({}, { __gc = function() remind(script) end })
end

--- Call this with every experiment that runs.
function unrun.ran(experiment)
  local source = source_of(experiment)
  if by_source[source] == experiment then by_source[source] = nil end
end

--- Complains of a file that has returned nothing, if it declared an experiment that nobody ran; nil otherwise.
---@param file string
---@return string?
function unrun.complaint(file)
  return by_source["@" .. file] and file .. " declares an experiment, but does not return it"
end

return unrun
