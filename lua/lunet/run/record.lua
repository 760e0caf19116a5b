--- The record of a run: --json prints it, and the JSON of a directory is a list of them. doc/record.schema.json
--- describes it.
local json = require "lunet.text.json"

local record = {}

--- The number of this format. It changes when a field changes its meaning or goes away, not when a field is new.
record.FORMAT = 1

local FIRST <const> = { "format", "experiment", "file", "claim", "verdict", "why", "seconds", "figures", "knobs",
  "outcome", "wires", "environment" }

local function object(values) return values and json.object(values) end

--- Makes the record of a run; scripts call run:record(). A run that could not run has no outcome.
---@param run lunet.run
---@return table record plain data, for record.encode
function record.of(run)
  return {
    format = record.FORMAT, experiment = run.name, claim = run.claim, verdict = run.verdict, why = run.why,
    figures = run.figures, knobs = object(run.values), outcome = object(run.outcome), wires = run.wires,
    environment = run.environment,
  }
end

--- A record, or a list of records, as JSON.
---@param any table
---@return string
function record.encode(any) return json.encode(any, FIRST) end

return record
