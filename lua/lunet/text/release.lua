--- Releases of Linux, "6.1.176", and how people name them, "6.1".
local release = {}

--- Compares releases by their numbers: 6.1.176 is older than 6.12.
---@param a string
---@param b string
---@return boolean
function release.is_older(a, b)
  local next_a, next_b = a:gmatch "%d+", b:gmatch "%d+"
  while true do
    local x, y = tonumber((next_a())), tonumber((next_b()))
    if x ~= y then return (x or -1) < (y or -1) end
    if not x then return false end
  end
end

--- Whether a release is the one that somebody names: "6.1" names 6.1.176, but not 6.12.
---@param given string
---@param wanted string
---@return boolean
function release.is_named(given, wanted) return (given .. "."):sub(1, #wanted + 1) == wanted .. "." end

--- The line of a release or of a package's version: "6.1" of "6.1.176-1".
---@param text string
---@return string|nil
function release.line(text) return text:match "^%d+%.%d+" end

--- The newest of each line.
---@generic T: {line: string, version: string}
---@param kernels T[]
---@return T[] oldest first
function release.newest_of_lines(kernels)
  local newest, all = {}, {}
  for _, kernel in ipairs(kernels) do
    local other = newest[kernel.line]
    if not other or release.is_older(other.version, kernel.version) then newest[kernel.line] = kernel end
  end
  for _, kernel in pairs(newest) do all[#all + 1] = kernel end
  table.sort(all, function(a, b) return release.is_older(a.line, b.line) end)
  return all
end

return release
