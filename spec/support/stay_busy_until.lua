local lunet = require "lunet"

--- Keeps the processor from every other task until a time.
---@param time number by lunet.now()
return function(time)
  repeat until lunet.now() >= time
end
