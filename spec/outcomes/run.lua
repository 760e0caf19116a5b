--- Tries wrong outcomes on the check of an experiment, from the root of the tree:
--- `lunet spec/outcomes/run.lua NAME [--without-check]`. Prints how many fields the outcome has, how many of them the
--- check notices to be wrong, and how many are shown only. Exit status: 0 all is well; 1 the check misses a field;
--- 77 the machine disturbed the run, or has not the programs.
---
--- spec/outcomes/NAME.lua says, if there is such a file: { knobs = { ... }, shown = { ["late[].seconds"] = "why" } }:
--- knobs for the run, by default none; which fields are shown and not judged, and why (at most a fifth of all);
--- `sizes = { ["fates[].sent"] = true }`, which whole numbers are sizes or times, not counts; `given = { ["a[].b"] =
--- "why" }`, which fields say what was tried and so are settings of the run; `absent = { predicted_s = "why" }`, which
--- measures the outcome of this run lacks.
local experiment_files = require "spec.support.experiment_files"
local mutations = require "spec.support.outcome_mutations"
local sources = require "spec.support.outcome_sources"

local SKIPPED <const> = 77
local ATTEMPTS <const> = 3
local MOST_SHOWN <const> = 1 / 5
local SHORTEST_REASON <const> = 20 -- letters

local name, option = ...
local path = experiment_files.path(name)
local experiment = dofile(path)
if option == "--without-check" then experiment.check = function() end end

local listing = {}
do
  local file <close> = io.open(("spec/outcomes/%s.lua"):format(name))
  if file then listing = dofile(("spec/outcomes/%s.lua"):format(name)) end
end

local complaints = {}
local function complain(...) complaints[#complaints + 1] = string.format(...) end

--- A run for which the claim holds; nil if the machine does not let it.
local function run_of(values)
  for attempt = 1, ATTEMPTS do
    local run = experiment:execute(values)
    if run.verdict == "holds" then return run end
    print(("%-24s attempt %d: %s: %s"):format(name, attempt, run.verdict, run.why))
    if run.verdict ~= "not judged" then os.exit(1) end
  end
end

local function check_reasons()
  for _, list in ipairs { listing.shown or {}, listing.given or {}, listing.absent or {} } do
    for field, entry in pairs(list) do
      local why = type(entry) == "table" and entry.why or entry
      if #why < SHORTEST_REASON or why:find "nois" then complain("%s: %q is no reason", field, why) end
    end
  end
end

local function check_sources(outcome, values)
  local file <close> = assert(io.open(path))
  local text, seen = file:read "a", {}
  for _, field in ipairs(mutations.fields(outcome)) do
    local knob = sources.knob_of(field.real, values)
    if knob then complain("%s is a copy of the knob %s", field.name, knob) end
    local last = field.name:match "[%w_]+$"
    if last and not seen[field.name] and not (listing.given or {})[field.name] then
      local constant = sources.constant(text, last)
      if constant then complain("%s is always %s, by the script", field.name, constant) end
    end
    seen[field.name] = true
  end
  for _, list in ipairs { "shown", "given", "sizes" } do
    for field in pairs(listing[list] or {}) do
      if not seen[field] then complain("%s: the outcome has no such field (listed in %s)", field, list) end
    end
  end
end

-- A measure that is in no outcome would be in no report either.
local function check_measures(outcome)
  for _, measure in ipairs(experiment.measures) do
    local any = outcome
    for key in measure.name:gmatch "[^.]+" do
      if type(any) ~= "table" then any = {} end
      any = any[math.tointeger(tonumber(key)) or key]
    end
    local is_figure = math.type(any) ~= nil or type(any) == "boolean"
    if is_figure == ((listing.absent or {})[measure.name] ~= nil) then
      complain("%s: a measure, and the outcome has %s", measure.name, is_figure and "it" or "no such figure")
    end
  end
end

local values = sources.marked(experiment, experiment:settings(listing.knobs))
local is_here, missing = experiment:find_needs(values)
if not is_here then
  print(name .. ": " .. missing)
  os.exit(SKIPPED)
end
local run = run_of(values)
if not run then os.exit(SKIPPED) end
check_reasons()
check_sources(run.outcome, values)
check_measures(run.outcome)
local tally = mutations.try(experiment, run.outcome, values, listing)
table.move(tally.complaints, 1, #tally.complaints, #complaints + 1, complaints)
if tally.shown > MOST_SHOWN * tally.fields then
  complain("%d of %d fields are shown only: more than a fifth", tally.shown, tally.fields)
end
print(("%-24s %4d fields  %4d noticed  %3d shown only"):format(name, tally.fields, tally.noticed, tally.shown))
for _, text in ipairs(complaints) do print("  " .. text) end
os.exit(#complaints == 0)
