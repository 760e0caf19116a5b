--- The last events of a spec, for the message of an assertion that fails.
local recording = require "lunet.recording.recording"
local run = require "lunet.run.run"
local text = require "lunet.text.width"
local timeline = require "lunet.recording.timeline"

local last_events = {}

local recorder, most

--- Records from here on, until the to-be-closed value ends.
---@param count integer the number of lines of `text`
function last_events.record(count)
  most, recorder = count, recording.start()
  return setmetatable({}, { __close = function()
    recorder:stop()
    recorder = nil
  end })
end

--- The last lines of the timeline, below an empty line; "" without a recording.
---@return string
function last_events.text()
  if not recorder then return "" end
  local known = recorder:known()
  known.events = recorder:peek()
  local lines = run.of(known):rows()
  local texts = { "", "", ("The last of %d events, in ms since the first:"):format(#lines) }
  for i = math.max(1, #lines - most + 1), #lines do
    local line = lines[i]
    texts[#texts + 1] = ("%9.3f  %s %s"):format(line.at * 1000, text.left(line.who or "", 8),
      text.shown(timeline.words(line)))
  end
  return table.concat(texts, "\n")
end

return last_events
