--- Which process holds a socket. A search reads the descriptors of all processes, so each socket is searched for once,
--- and again only when its process has ended.
local core = require "lunet.core"

---@class lunet.queue_owners
---@field known table<integer, {pid: integer, program: string}|false> by inode; false: searched for in vain
local owners = {}
owners.__index = owners

--- Makes one that knows nothing yet.
---@return lunet.queue_owners
function owners.new() return setmetatable({ known = {} }, owners) end

local function lives(owner) return core.read_file(nil, ("/proc/%d/comm"):format(owner.pid)) ~= nil end

--- Finds the processes of sockets.
---@param inodes integer[]
---@return table<integer, {pid: integer, program: string}> owners by inode, of those that this user may see
function owners:find(inodes)
  local known, missing = {}, {}
  for _, inode in ipairs(inodes) do
    local owner = self.known[inode]
    if owner == false or owner and lives(owner) then known[inode] = owner else missing[#missing + 1] = inode end
  end
  local found = core.socket_owners(missing) or {}
  for _, inode in ipairs(missing) do known[inode] = found[inode] or false end
  self.known = known
  local seen = {}
  for inode, owner in pairs(known) do seen[inode] = owner or nil end
  return seen
end

--- Whether this user sees the processes of all users. Root of a user namespace does not (user_namespaces(7)).
---@return boolean
function owners.sees_all()
  local is_root = core.read_file(nil, "/proc/self/status"):match "\nUid:%s+%d+%s+0%s" ~= nil
  return is_root and core.read_file(nil, "/proc/self/uid_map"):match "^%s*0%s+0%s+4294967295%s*$" ~= nil
end

return owners
