--- Tells whether recording changes what an experiment finds: `lunet spec/figures/recorded.lua NAME [--row]`, from the
--- root of the tree. Runs it unrecorded, with --record kernel and with --record segments, and compares the outcomes
--- (spec/support/agreement.lua says how, spec/figures/NAME.lua what else). Prints what differs, or with --row the
--- experiment's row of doc/recording.md. Exit status: 0 all agree, 1 they do not, 77 the machine disturbed the runs.
local agreement = require "spec.support.agreement"
local compare = require "spec.figures.compare"
local experiment_files = require "spec.support.experiment_files"

local SKIPPED <const> = 77
local ATTEMPTS <const> = 5 -- at a run that the machine disturbs

local name, option = ...
local experiment = dofile(experiment_files.path(name))
local listing = compare.listing(name)
-- A look at the kernel takes about 0.2 ms for each host. The looks at all hosts come in turn.
listing.longer, listing.part = 0.02, 0.02
local values = experiment:settings(listing.knobs)

local is_here, missing = experiment:find_needs(values)
if not is_here then
  print(name .. ": " .. missing)
  os.exit(SKIPPED)
end

local function skip()
  print(option == "--row" and ("| %s | not judged | | | | | The machine disturbed it. |"):format(name)
    or ("%-24s the machine disturbed it"):format(name))
  os.exit(SKIPPED)
end

local function recorded(level)
  return function()
    for _ = 1, ATTEMPTS do
      local run = compare.execute(experiment, values, level)
      if run.verdict ~= "not judged" then return run end
    end
    skip()
  end
end

local results, bases = compare.run(recorded "none",
  { { name = "kernel", run = recorded "kernel" }, { name = "segments", run = recorded "segments" } }, listing)

local fields, varied = agreement.fields(bases[1]), {}
local count, equal, complaints = 0, 0, {}
for path in pairs(fields) do
  count = count + 1
  for _, result in ipairs(results) do
    local other = agreement.fields(result.outcome)[path]
    if other ~= fields[path] then varied[path] = true end
  end
  if not varied[path] then equal = equal + 1 end
end
for _, result in ipairs(results) do
  for path, words in pairs(result.differences) do
    complaints[#complaints + 1] = ("--record %s: %s is %s"):format(result.name, path, words)
  end
end
table.sort(complaints)

local by_reason, reasons = {}, {}
for field, bound in pairs(listing.bounds or {}) do
  local words = ("within %.0f %%: %s"):format(100 * bound.part, bound.why)
  by_reason[words] = by_reason[words] or {}
  table.insert(by_reason[words], ("`%s`"):format(field))
end
for words, fields_of_it in pairs(by_reason) do
  table.sort(fields_of_it)
  reasons[#reasons + 1] = ("%s %s"):format(table.concat(fields_of_it, ", "), words)
end
table.sort(reasons)
if option == "--row" then
  print(("| %s | %s | %d | %d | %d | %d | %s |"):format(name, bases[1].verdict, #bases, count, equal, #complaints,
    table.concat(reasons, "; ")))
else
  print(("%-24s %d unrecorded runs, %d fields, %d the same, %d outside the bounds"):format(name, #bases, count, equal,
    #complaints))
end
for _, words in ipairs(complaints) do io.stderr:write("  ", words, "\n") end
os.exit(#complaints == 0)
