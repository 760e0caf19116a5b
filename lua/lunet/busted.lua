--- A helper for busted (`busted --helper=lunet.busted`, or `helper = "lunet.busted"` in .busted): it
--- adds lunet's assertions, and makes every `it` a scope, so that what one opens or spawns ends with
--- it and nothing leaks into the next.
local busted = require "busted"
local lunet = require "lunet"

require "lunet.assert"

busted.subscribe({ "test", "start" }, function(element)
  local body = element.run
  if body then
    element.run = function(...) return lunet.scope(body, ...) end
  end
  return nil, true -- as every subscriber: the others are told, too
end)
