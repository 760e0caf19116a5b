--- Looks at the accept queues of the home host, again and again. It only reads: sock_diag(7) and /proc.
local core = require "lunet.core"
local counters = require "lunet.network.counters"
local lunet = require "lunet"
local owners = require "lunet.queues.owners"
local settling = require "lunet.queues.settling"

---@class lunet.queue_observer
---@field evidence table<string, lunet.queue_evidence[]> the last looks at each queue, the last one first
---@field peaks table<string|integer, integer> by queue
---@field drops table<string, {count: integer, at: number}> at the look before
---@field owners lunet.queue_owners
local observer = {}
observer.__index = observer

local LOOKS <const> = 3 -- surveys that prove something: settling.lua
local MOST <const> = 8 -- surveys in one look
local BUDGET <const> = 0.02 -- s of processor time, after which a look begins no other survey
local LONG <const> = 1 -- s; what a client waits before its program is searched for

--- Makes one that has seen nothing yet.
---@return lunet.queue_observer
function observer.new()
  return setmetatable({ evidence = {}, peaks = {}, drops = {}, owners = owners.new() }, observer)
end

-- -- surveys ----------------------------------------------------------------------------------

local function connections_so_far()
  local snmp = core.read_file(nil, "/proc/thread-self/net/snmp")
  return snmp and counters.new(snmp, "").PassiveOpens
end

-- A queue is the same as long as it has the same listeners.
local function key_of(queue)
  local inodes = {}
  for i, listener in ipairs(queue.listeners) do inodes[i] = listener.inode end
  return table.concat(inodes, " ")
end

local function depth_of(queue)
  local depth, is_steady = 0, true
  for _, listener in ipairs(queue.listeners) do
    depth = depth + listener.depth
    is_steady = is_steady and listener.depth == listener.later
  end
  return depth, is_steady
end

-- Adds a survey to what is known of each queue, and forgets queues that are gone.
local function remember(self, survey, is_calm)
  local evidence = {}
  for _, queue in ipairs(survey.queues) do
    queue.key = key_of(queue)
    queue.depth, queue.is_steady = depth_of(queue)
    local former = self.evidence[queue.key] or {}
    evidence[queue.key] = { { depth = queue.depth, is_steady = queue.is_steady, is_calm = is_calm,
      listed = queue.listed, digest = queue.digest, oldest = queue.oldest }, former[1], former[2] }
    self.peaks[queue.key] = math.max(self.peaks[queue.key] or 0, queue.depth)
  end
  for _, path in ipairs(survey.paths) do self.peaks[path.inode] = math.max(self.peaks[path.inode] or 0, path.depth) end
  self.evidence = evidence
end

local function is_settled(self)
  for _, looks in pairs(self.evidence) do
    if not settling.resets(looks) then return false end
  end
  return true
end

-- Surveys until every number is known, or that would cost too much. The first look has no earlier ones to compare with.
local function survey_enough(self)
  local began, surveys, least = os.clock(), 0, next(self.evidence) and 1 or LOOKS
  while true do
    local before = connections_so_far()
    local survey, message, code = core.survey(nil)
    if not survey then return nil, message, code end
    remember(self, survey, before ~= nil and before == connections_so_far())
    surveys = surveys + 1
    if is_settled(self) or surveys >= MOST then return survey end
    if surveys >= least and os.clock() - began > BUDGET then return survey end
  end
end

-- -- entries ----------------------------------------------------------------------------------

local function members_of(queue)
  if #queue.listeners == 1 then return nil end
  local members = {}
  for i, listener in ipairs(queue.listeners) do
    members[i] = { address = listener.address, depth = listener.depth, limit = listener.limit,
      drops = listener.drops }
  end
  return members
end

-- Sums over the listeners; drops are unknown if one's are.
local function sums_of(queue, somaxconn)
  local limit, drops, is_at, is_mptcp = 0, 0, false, nil
  for _, listener in ipairs(queue.listeners) do
    limit = limit + listener.limit
    drops = drops and listener.drops and drops + listener.drops
    is_at = is_at or listener.limit == somaxconn
    is_mptcp = is_mptcp or listener.mptcp
  end
  return limit, drops or nil, is_at, is_mptcp
end

local function drops_per_second(self, key, drops, now)
  local former = self.drops[key]
  self.drops[key] = drops and { count = drops, at = now }
  if not drops or not former or now <= former.at then return nil end
  return (drops - former.count) / (now - former.at)
end

local function entry_of_queue(self, queue, now, somaxconn)
  local limit, drops, is_at, is_mptcp = sums_of(queue, somaxconn)
  local first = queue.listeners[1]
  return {
    address = first.address, port = first.port, inode = first.inode, uid = first.uid, depth = queue.depth,
    limit = limit, at_somaxconn = is_at, drops = drops,
    drops_per_second = drops_per_second(self, queue.key, drops, now),
    left_by_fin = queue.hidden == 0 and queue.left or nil, left_by_reset = settling.resets(self.evidence[queue.key]),
    bytes = queue.bytes, oldest_seconds = queue.listed > 0 and queue.oldest or nil, half_open = queue.half_open,
    peak = self.peaks[queue.key], sockets = #queue.listeners, mptcp = is_mptcp or false, members = members_of(queue),
  }
end

-- A Unix connection cannot be reset. The kernel does not tell its bytes, nor their age.
local function entry_of_path(self, path, somaxconn)
  return { address = path.address, inode = path.inode, depth = path.depth, limit = path.limit,
    at_somaxconn = path.limit == somaxconn, left_by_fin = path.left, left_by_reset = 0, half_open = 0,
    peak = self.peaks[path.inode], sockets = 1, mptcp = false }
end

local function entry_of_client(client)
  return { address = client.address, port = client.port, inode = client.inode, connecting = client.connecting,
    waiting = client.waiting, queued = client.queued, bytes = client.bytes,
    oldest_seconds = client.waiting > 0 and client.oldest or nil }
end

-- A search reads every process's descriptors: it is worth that only for clients that wait for long.
local function is_worth_it(entry)
  return entry.inode ~= 0 and (entry.depth ~= nil or (entry.oldest_seconds or 0) >= LONG)
end

local function set_owners(self, ...)
  local inodes, wanted = {}, {}
  for _, list in ipairs { ... } do
    for _, entry in ipairs(list) do
      if is_worth_it(entry) then inodes[#inodes + 1], wanted[#wanted + 1] = entry.inode, entry end
    end
  end
  local found = self.owners:find(inodes)
  for _, entry in ipairs(wanted) do
    local owner = found[entry.inode]
    if owner then entry.pid, entry.program = owner.pid, owner.program end
  end
end

local function forget_gone(self, entries)
  local peaks, drops = {}, {}
  for key in pairs(self.evidence) do peaks[key], drops[key] = self.peaks[key], self.drops[key] end
  for _, entry in ipairs(entries) do
    if not entry.port then peaks[entry.inode] = self.peaks[entry.inode] end
  end
  self.peaks, self.drops = peaks, drops
end

-- Both families of a port stand together.
local function is_before(one, other)
  if one.port ~= other.port then return one.port < other.port end
  return one.address < other.address
end

--- One look.
---@class lunet.queue_look
---@field time number seconds since 1970
---@field listeners table[] an entry for each queue: lunet.queues.fields
---@field clients table[]

--- Looks once.
---@return lunet.queue_look|nil look
---@return string? message
---@return string? code "ENOENT" if the kernel has no tcp_diag
function observer:look()
  local survey, message, code = survey_enough(self)
  if not survey then return nil, message, code end
  local now, listeners, clients = lunet.now(), {}, {}
  local somaxconn = tonumber(core.read_file(nil, "/proc/sys/net/core/somaxconn") or "")
  for i, queue in ipairs(survey.queues) do listeners[i] = entry_of_queue(self, queue, now, somaxconn) end
  table.sort(listeners, is_before)
  for _, path in ipairs(survey.paths) do listeners[#listeners + 1] = entry_of_path(self, path, somaxconn) end
  for i, client in ipairs(survey.clients) do clients[i] = entry_of_client(client) end
  set_owners(self, listeners, clients)
  forget_gone(self, listeners)
  return { time = core.wall_now(), listeners = listeners, clients = clients }
end

return observer
