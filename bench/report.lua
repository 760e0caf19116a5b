-- How long the report of many events takes to write, and how large it is.
--
--   script/build release && build/release/lunet bench/report.lua [EVENTS]
--
-- The events are made up: clients connect, send, and leave while the server serves one at a time; with segments.
-- `--keep FILE.html` after the number keeps the page.
local events = require "spec.support.events"
local outputs = require "lunet.command.outputs"

local COUNT = tonumber(arg[1]) or 100000
local KEPT = arg[2] == "--keep" and arg[3]

local function measure(name, path, run)
  collectgarbage()
  local began = os.clock()
  local files = assert(outputs.open { [name] = path })
  assert(files:write(run))
  local took = os.clock() - began
  local file <close> = assert(io.open(path))
  print(("%-7s %d events: %.2f s, %.1f MB"):format(name, COUNT, took, file:seek "end" / 1e6))
end

for _, name in ipairs { "report", "svg" } do
  local path = name == "report" and KEPT or os.tmpname()
  measure(name, path, events.run(COUNT))
  if path ~= KEPT then os.remove(path) end
end
