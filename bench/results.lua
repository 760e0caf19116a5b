--- Reads stored results: medians, ratios within rounds and their spread, and the table of the README.
local statistics = require "lunet.load.statistics"

local results = {}

---@param values? number[] of the rounds
---@return number|nil
function results.median(values) return statistics.quantile(values or {}, 0.5) end

-- One for each round: all programs of a round found the machine in much the same state.
local function ratios(values, yardstick)
  local found = {}
  for i, value in ipairs(values or {}) do
    if yardstick and yardstick[i] and yardstick[i] ~= 0 then found[#found + 1] = value / yardstick[i] end
  end
  return found
end

--- The median of the ratios within rounds.
---@param values? number[]
---@param yardstick? number[]
---@return number|nil
function results.ratio(values, yardstick) return results.median(ratios(values, yardstick)) end

--- The same, with the bounds of the middle half of the rounds: "1.08 (1.05-1.11)", or "-".
---@param values? number[]
---@param yardstick? number[]
---@return string
function results.spread(values, yardstick)
  local found = ratios(values, yardstick)
  if #found == 0 then return "-" end
  return ("%.2f (%.2f-%.2f)"):format(results.median(found), statistics.quantile(found, 0.25),
    statistics.quantile(found, 0.75))
end

---@param value? number
---@return string
function results.figure(value)
  if not value then return "-" end
  if value >= 1000 then return ("%.0f"):format(value) end
  return ("%.4g"):format(value)
end

-- By the processor's time, which others on the machine lengthen less; with a unit: figures for all.
local ROWS = {
  { "churn-1", "churn-1", "cpu_rate" },
  { "churn-64", "churn-64", "cpu_rate" },
  { "ping-pong", "ping-pong", "cpu_rate" },
  { "ping-pong, p99 (less is better)", "ping-pong", "p99_us" },
  { "stream", "stream", "cpu_rate" },
  { "ghosts, fill", "ghosts", "cpu_fill" },
  { "ghosts, drain", "ghosts", "cpu_drain" },
  { "arm-and-cancel", "arm-and-cancel", "cpu_rate" },
  { "due: mean lateness, us", "due", "late_us", is_absolute = true },
  { "due: too early, of 200,000", "due", "early", is_absolute = true },
  { "idle: bytes a pair", "idle", "bytes", is_absolute = true },
}

local function cell(row, measured, peer, yardstick)
  local values = measured[peer] and measured[peer][row[3]]
  if row.is_absolute or peer == yardstick then return results.figure(results.median(values)) end
  return measured[yardstick] and results.spread(values, measured[yardstick][row[3]]) or "-"
end

--- The rows that were measured, in Markdown: of the first peer figures, of the others ratios to it with their spread.
---@param stored table as the runner stores it
---@param peers string[]
---@return string
function results.table(stored, peers)
  local lines = { "| | " .. table.concat(peers, " | ") .. " |", "|---" .. ("|---"):rep(#peers) .. "|" }
  for _, row in ipairs(ROWS) do
    local measured, cells = stored.results[row[2]], { row[1] }
    for _, peer in ipairs(measured and peers or {}) do cells[#cells + 1] = cell(row, measured, peer, peers[1]) end
    if measured then lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |" end
  end
  return table.concat(lines, "\n")
end

return results
