-- How long the report of many events takes to write, and how large it is.
--
--   script/build release && build/release/lunet bench/report.lua [EVENTS]
--
-- The events are made up: clients that connect, send, and leave while the server serves one at a time, with the wire.
-- `--keep FILE.html` after the number keeps the page.
local events = require "spec.support.events"
local report = require "lunet.report"

local COUNT = tonumber(arg[1]) or 100000
local KEPT = arg[2] == "--keep" and arg[3]

local function measure(name, make)
  collectgarbage()
  local began = os.clock()
  local content = make()
  print(("%-7s %d events: %.2f s, %.1f MB"):format(name, COUNT, os.clock() - began, #content / 1e6))
  return content
end

local run, experiment = events.run(COUNT), { claim = "It is written in time.", knobs = {} }
local page = measure("report", function() return report.page(run, "many", experiment, {}) end)
measure("svg", function() return report.svg(run, "many", experiment) end)
if KEPT then
  local file <close> = assert(io.open(KEPT, "wb"))
  assert(file:write(page))
end
