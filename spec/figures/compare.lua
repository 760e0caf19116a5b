--- Runs an experiment in one way again and again, and in others, until they agree or enough runs say that they do not.
local agreement = require "spec.support.agreement"
local lateness = require "lunet.run.lateness"

local compare = {}

local MOST_BASE <const> = 10 -- runs whose spread counts

--- spec/figures/NAME.lua, if it is there, says for an experiment { knobs = {...}, sizes = {...}, bounds = {...} }:
--- knobs for the runs; which whole numbers are sizes; by what part of it a field may differ, and why.
---@param name string of the experiment
---@return {knobs: table?, sizes: table?, bounds: table<string, {part: number, why: string}>?}
function compare.listing(name)
  local path = ("spec/figures/%s.lua"):format(name)
  local file <close> = io.open(path)
  return file and dofile(path) or {}
end

--- Runs an experiment. Its outcome then tells how late lunet was at worst, unless the experiment itself does so.
---@param experiment lunet.experiment
---@param knobs table
---@param level lunet.record_level
---@return lunet.run
function compare.execute(experiment, knobs, level)
  local machine <close> = lateness.watch()
  local run = experiment:execute(knobs, { record = level })
  run.outcome.lateness = run.outcome.lateness or machine:worst()
  return run
end

local function outcome_of(run)
  run.outcome.verdict = run.verdict
  return run.outcome
end

--- Puts the differences of all runs of one way together. Returns what is left, by path.
local function left_of(base, runs, listing)
  local left
  for _, outcome in ipairs(runs) do
    local differences = agreement.differences(base, outcome, listing)
    left = left and agreement.common(left, differences) or differences
  end
  return left
end

--- Runs the base and each way that does not agree yet in turn, at most 10 times: a field agrees if it does in one of
--- the runs. A busy machine disturbs them all alike, since they take turns.
---@param base fun(): table runs it, and gives what experiment:execute does
---@param ways {name: string, run: fun(): table}[] the other ways
---@param listing table from compare.listing
---@param most_base? integer how often the base runs at most, 10 by default
---@return {name: string, differences: table<string, string>, outcome: table}[] results one for each way
---@return table[] base_outcomes
function compare.run(base, ways, listing, most_base)
  local bases, results = {}, {}
  for i, way in ipairs(ways) do results[i] = { name = way.name, runs = {} } end
  repeat
    bases[#bases + 1] = outcome_of(base())
    local is_agreed = true
    for i, result in ipairs(results) do
      result.differences = #result.runs > 0 and left_of(bases, result.runs, listing) or nil
      if not result.differences or next(result.differences) then
        result.outcome = outcome_of(ways[i].run())
        table.insert(result.runs, result.outcome)
        result.differences = left_of(bases, result.runs, listing)
      end
      is_agreed = is_agreed and next(result.differences) == nil
    end
  until is_agreed or #bases == (most_base or MOST_BASE)
  return results, bases
end

return compare
