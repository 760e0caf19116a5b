--- How lunet was called, and how to call it again.
local dependency = require "lunet.text.dependency"

local lfs = dependency "lfs"

local invocation = {}

--- A path that means the same in every directory.
---@param path string
---@return string
function invocation.absolute(path) return path:sub(1, 1) == "/" and path or lfs.currentdir() .. "/" .. path end

local LOUD = { ["-i"] = true, ["-v"] = true, ["--version"] = true }

--- The words that start lunet as it was started itself, from whatever directory, without those that make it print its
--- version.
---@return string[]
function invocation.words()
  local words, at = {}, -1
  while arg[at] do
    if not LOUD[arg[at]] then table.insert(words, 1, arg[at]) end
    at = at - 1
  end
  if words[1]:find "/" then words[1] = invocation.absolute(words[1]) end
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
