--- Known differences of older kernels, which an experiment declares (`expects`), each with a check of its own. Without
--- one a claim that fails on an older kernel does not hold there, as on any other.
local options = require "lunet.text.options"
local release = require "lunet.text.release"
local sysctl = require "lunet.network.sysctl"

local older_kernel = {}

---@class lunet.known_difference
---@field before string the Linux that ended it: "6.14"; older kernels have it
---@field because string one clause, with the commit of the kernel
---@field check fun(outcome: table, knobs: table) asserts what the older kernel does instead

local FIELDS <const> = { "before", "because", "check" }
local TYPES <const> = { before = "string", because = "string", check = "function" }

local function check_entry(entry)
  if type(entry) ~= "table" then return "expects is a list of { before =, because =, check = }" end
  local unknown = options.unknown("field", entry, FIELDS)
  if unknown then return "expects: " .. unknown end
  for _, field in ipairs(FIELDS) do
    if type(entry[field]) ~= TYPES[field] then
      return ("expects: %s is a %s, not %s"):format(field, TYPES[field], type(entry[field]))
    end
  end
  if not entry.before:find "^%d+%.%d+$" then
    return ("expects: before is a version of Linux such as \"6.14\", not %q"):format(entry.before)
  end
end

--- Complains about a list that is no list of known differences.
---@param list table
---@return string|nil complaint
function older_kernel.complaint(list)
  if #list == 0 and next(list) ~= nil then return check_entry() end
  for _, entry in ipairs(list) do
    local complaint = check_entry(entry)
    if complaint then return complaint end
  end
end

--- Those of the differences that a kernel has.
---@param list lunet.known_difference[]
---@param kernel? string its release, "6.1.176"; by default that of the kernel here
---@return lunet.known_difference[]
function older_kernel.of(list, kernel)
  if #list == 0 then return list end
  kernel = kernel or sysctl.here "kernel.osrelease"
  local found = {}
  for _, difference in ipairs(list) do
    if release.is_older(kernel, difference.before) then found[#found + 1] = difference end
  end
  return found
end

return older_kernel
