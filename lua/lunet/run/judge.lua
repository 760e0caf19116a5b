--- Judges the outcome of a run: gives it a verdict, and the figures and the plot that the experiment makes of the
--- outcome.
local core = require "lunet.core"
local interrupt = require "lunet.text.interrupt"
local older_kernel = require "lunet.run.older_kernel"
local plot = require "lunet.text.plot"
local verdict = require "lunet.run.verdict"

local judge = {}

--- Whether assert or error raised an error on purpose (luassert calls error, too), not a mistake in the code. Only a
--- message handler may call it.
local function was_on_purpose()
  local raiser = debug.getinfo(3, "f")
  return raiser and (raiser.func == assert or raiser.func == error)
end

-- assert and error put the check's file and line before a text. A reader of the verdict does not need them.
local function reason_of(failure, check)
  if type(failure) == "table" and failure.message ~= nil then failure = failure.message end
  local reason, position = tostring(failure), debug.getinfo(check, "S").short_src .. ":"
  if reason:sub(1, #position) ~= position then return reason end
  return (reason:sub(#position + 1):gsub("^%d+: ", ""))
end

-- The verdict of one check, and why unless it ended well.
local function verdict_by(check, run)
  local is_mistake = false
  local ok, result = xpcall(check, function(failure)
    is_mistake = not was_on_purpose()
    return is_mistake and core.traceback(failure) or failure
  end, run.outcome, run:copy_of_values())
  if is_mistake then error("the check of the experiment is wrong: " .. result, 0) end
  if not ok and verdict.is_not_judged(result) then return "not judged", result.why end
  if not ok then return "does not hold", reason_of(result, check) end
  if result == false then return "does not hold", "the check returned false" end
  return "holds"
end

--- The verdict, and why unless the claim holds.
local function verdict_of(run)
  local name, why = verdict_by(run.experiment.check, run)
  if name ~= "does not hold" then return name, why end
  for _, difference in ipairs(older_kernel.of(run.experiment.expects)) do
    if verdict_by(difference.check, run) == "holds" then
      return "known difference", ("%s (Linux before %s)"):format(difference.because, difference.before)
    end
  end
  return name, why
end

local function is_text(any) return type(any) == "string" end

local function is_plot(any) return is_text(any) or plot.is(any) end

--- Calls the experiment's function `field`, which makes a text or a plot of the outcome; nil without such a function.
--- If the function raises or returns something else: nil and the mistake.
local function made_by(run, field, is_right)
  local fn = run.experiment[field]
  if not fn then return nil end
  local ok, result = xpcall(fn, core.traceback, run.outcome, run:copy_of_values())
  if ok and is_right(result) then return result end
  if interrupt.is(result) then error(result, 0) end
  if ok then result = ("it returned no %s, but %s"):format(field == "plot" and "plot" or "text", type(result)) end
  return nil, ("mistake in the %s of the experiment: %s"):format(field, result)
end

--- Gives a run with an outcome its verdict, why, figures and plot. With a mistake in figures or plot the run could not
--- run. Raises an error for a mistake in the check.
---@param run lunet.run
---@return lunet.run run
function judge.judge(run)
  local figures_mistake, plot_mistake
  run.verdict, run.why = verdict_of(run)
  run.figures, figures_mistake = made_by(run, "figures", is_text)
  run.plot, plot_mistake = made_by(run, "plot", is_plot)
  run.mistake = figures_mistake or plot_mistake
  return run.mistake and run:fail(run.mistake) or run
end

return judge
