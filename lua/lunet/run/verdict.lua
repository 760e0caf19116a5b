--- The four verdicts of a run, and the exit status of each.
---
--- * "holds": the check found the claim true.
--- * "does not hold": it found the claim false.
--- * "not judged": the run says nothing about the claim: the machine disturbed it, or its knobs leave nothing to try.
--- * "could not run": there is no outcome to judge, or the figures or the plot cannot be made of it.
local verdict = {}

--- Exit statuses, by verdict. 2 is wrong use, 130 is Ctrl-C.
---@type table<string, integer>
verdict.statuses = { ["holds"] = 0, ["does not hold"] = 1, ["not judged"] = 4, ["could not run"] = 3 }

--- The verdicts as an option's help lists their exit statuses.
verdict.EPILOG = "Exit status: 0 the claim holds, 1 it does not hold, 2 wrong use, 3 could not run (or a file or the "
  .. "figures could not be written), 4 not judged, 130 Ctrl-C, 143 SIGTERM."

local SENTENCES <const> = { ["holds"] = "The claim holds", ["does not hold"] = "The claim does not hold",
  ["not judged"] = "The claim is not judged", ["could not run"] = "The experiment could not run" }

--- A verdict as the beginning of a sentence: "The claim is not judged".
---@param name string
---@return string
function verdict.sentence(name) return SENTENCES[name] end

-- The gravest verdict comes first: it decides how a directory ends.
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

return verdict
