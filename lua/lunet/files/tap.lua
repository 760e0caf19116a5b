--- Test results in the Test Anything Protocol, version 13 (https://testanything.org), which prove(1) reads: a line for
--- each run, and below it the facts about it, in YAML.
---
--- A known difference of an older kernel is "ok". A run that is not judged is skipped. A run that could not run is "not
--- ok": TAP has no word for an error.
local characters = require "lunet.text.characters"

local tap = {}

local GOOD <const> = { ["holds"] = true, ["known difference"] = true, ["not judged"] = true }
local FIELDS <const> = { "verdict", "why", "figures", "file" }

-- A description ends at the first "#", which begins a directive.
local function described(words) return (characters.shown(words):gsub("[\\#]", "\\%0")) end

-- Quoted in YAML's way, in which a backslash escapes as in JSON.
local function quoted(words)
  return ('"%s"'):format((characters.shown(words, "\n"):gsub('[\\"]', "\\%0"):gsub("\n", "\\n")))
end

local function add_result(lines, number, record)
  local name = described(record.variant or record.experiment)
  local line = ("%s %d - %s"):format(GOOD[record.verdict] and "ok" or "not ok", number, name)
  if record.claim then line = ("%s: %s"):format(line, described(record.claim)) end
  if record.verdict == "not judged" then line = ("%s # SKIP %s"):format(line, characters.shown(record.why or "")) end
  lines[#lines + 1] = line
  lines[#lines + 1] = "  ---"
  for _, field in ipairs(FIELDS) do
    if record[field] then lines[#lines + 1] = ("  %s: %s"):format(field, quoted(record[field])) end
  end
  if record.seconds then lines[#lines + 1] = ("  duration_ms: %.3f"):format(record.seconds * 1000) end
  lines[#lines + 1] = "  ..."
end

--- Makes the text of several runs.
---@param records table[] from run:listed() or lunet.command.catalogue
---@return string lines without the last line's end
function tap.of_records(records)
  local lines = { "TAP version 13", "1.." .. #records }
  for i, record in ipairs(records) do add_result(lines, i, record) end
  return table.concat(lines, "\n")
end

return tap
