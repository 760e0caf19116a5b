--- A helper for busted (`busted --helper=lunet.busted`, or `helper = "lunet.busted"` in .busted). It adds lunet's
--- assertions, and makes every `it` a scope: whatever one opens or spawns ends with it, and nothing leaks into the
--- next.
---
--- With `-Xhelper events=20` the message of a failed lunet assertion ends with the last 20 lines of the timeline of its
--- `it`: the calls, and the kernel's queues.
local busted = require "busted"
local last_events = require "lunet.tell.last_events"
local lunet = require "lunet"

require "lunet.assert"

local function wanted_events(word)
  if not word then return 0 end
  local count = word:match "^events=(%d+)$"
  if not count then error(("lunet.busted: events=NUMBER expected, not %s"):format(word), 0) end
  return math.tointeger(tonumber(count))
end

local most = wanted_events(arg and arg[1])

busted.subscribe({ "test", "start" }, function(element)
  local body = element.run
  if body then
    element.run = function(...)
      local _record <close> = most > 0 and last_events.record(most) or nil
      return lunet.scope(body, ...)
    end
  end
  return nil, true -- so that busted also calls the other subscribers
end)
