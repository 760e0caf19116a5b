--- The five verdicts of a run, and the exit status of each.
---
--- * "holds": the check found the claim true.
--- * "does not hold": it found the claim false.
--- * "known difference": the claim is false on this kernel, in the way that the experiment expects of older kernels.
--- * "not judged": the run says nothing about the claim: the machine disturbed it, or its knobs leave nothing to try.
--- * "could not run": there is no outcome to judge, or the figures or the plot cannot be made of it.
local verdict = {}

--- Exit statuses: the command did its work, the user's words were wrong, the command could not do its work. Ctrl-C ends
--- with 130, an error of the script itself with 1.
verdict.DONE, verdict.WRONG_USE, verdict.COULD_NOT_RUN = 0, 2, 3

--- Exit statuses, by verdict.
---@type table<string, integer>
verdict.statuses = { ["holds"] = verdict.DONE, ["does not hold"] = 1, ["known difference"] = verdict.DONE,
  ["not judged"] = 4, ["could not run"] = verdict.COULD_NOT_RUN }

--- The exit statuses of the verdicts, for --help.
verdict.EPILOG = "Exit status: 0 the claim holds, 1 it does not hold, 2 wrong use, 3 could not run (or a file or the "
  .. "figures could not be written), 4 not judged, 130 Ctrl-C, 143 SIGTERM."

local SENTENCES <const> = { ["holds"] = "The claim holds", ["does not hold"] = "The claim does not hold",
  ["known difference"] = "The claim does not hold, as expected of this kernel",
  ["not judged"] = "The claim is not judged", ["could not run"] = "The experiment could not run" }

--- A verdict as the beginning of a sentence: "The claim is not judged".
---@param name string
---@return string
function verdict.sentence(name) return SENTENCES[name] end

-- The gravest verdict comes first: it gives a directory its exit status.
local GRAVEST <const> = { "does not hold", "not judged", "could not run" }

--- The exit status of several runs: 1 if a claim does not hold, else 4 if one is not judged, else 3 if one could not
--- run, else 0.
---@param counts table<string, integer> how many runs had each verdict
---@return integer
function verdict.status_of_all(counts)
  for _, name in ipairs(GRAVEST) do
    if (counts[name] or 0) > 0 then return verdict.statuses[name] end
  end
  return 0
end

local NOT_JUDGED <const> = "lunet.not_judged"

local not_judged_class = { __tostring = function(failure) return "not judged: " .. failure.why end }

--- Ends a check: the run says nothing about the claim. Only a check may call it; scripts call it by the name
--- experiment.not_judged.
---
---     local idle = experiment { claim = "Nothing happens.", run = function() return {} end,
---       check = function() experiment.not_judged("the machine was %s", "busy") end }
---     print(select(2, idle())) --> nil  the machine was busy
---@param why string the end of the sentence "The claim is not judged: ..."; a format (string.format)
---@param ... any values for the format
function verdict.not_judged(why, ...)
  error(setmetatable({ kind = NOT_JUDGED, why = why:format(...) }, not_judged_class), 0)
end

--- Whether a check ended by not_judged. A field tells this, since busted loads modules anew.
---@param failure any an error value
---@return boolean
function verdict.is_not_judged(failure) return type(failure) == "table" and rawget(failure, "kind") == NOT_JUDGED end

return verdict
