--- How many descriptors this process has open. Looked at from within: what another process sees may
--- include the pipe that it was started with.
---@return integer
return function()
  local count = 0
  for number = 0, 1023 do
    local info = io.open("/proc/self/fdinfo/" .. number)
    if info then
      count = count + 1
      info:close()
    end
  end
  return count
end
