--- How lunet was called, and how to call it again.
local invocation = {}

--- How many processors this process may use (proc(5), /proc/PID/status): "0-3,8" are five.
---@return integer
function invocation.processors()
  local count = 0
  for line in io.lines "/proc/self/status" do
    for first, last in (line:match "^Cpus_allowed_list:%s*(.*)" or ""):gmatch "(%d+)%-?(%d*)" do
      count = count + 1 + (tonumber(last) or tonumber(first)) - tonumber(first)
    end
  end
  return math.max(count, 1)
end

local LOUD = { ["-i"] = true, ["-v"] = true, ["--version"] = true }

--- The words that start lunet as it was started itself, without those that make it print its version.
---@return string[]
function invocation.words()
  local words, at = {}, -1
  while arg[at] do
    if not LOUD[arg[at]] then table.insert(words, 1, arg[at]) end
    at = at - 1
  end
  return words
end

--- Joins an option and its negative value, which argparse would take for another option: "--backlog", "-1" becomes
--- "--backlog=-1".
---@param arguments string[]
---@return string[]
function invocation.join_negative_values(arguments)
  local joined = {}
  local i = 1
  while i <= #arguments do
    local word, following = arguments[i], arguments[i + 1]
    if word:match "^%-%-[%w_]+$" and following and following:match "^%-[%d.i]" then
      word = word .. "=" .. following
      i = i + 1
    end
    joined[#joined + 1] = word
    i = i + 1
  end
  return joined
end

return invocation
