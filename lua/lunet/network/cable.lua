--- The cable of a network: methods by which a script cuts it and mends it.
local core = require "lunet.core"
local forwarded = require "lunet.network.forwarded"
local interfaces = require "lunet.network.interfaces"
local option_table = require "lunet.text.options"

---@class lunet.network
local net = {}

local CUT <const> = { silently = option_table.truth, direction = option_table.text }

-- Calls fn with each wire, and with the host at its first end.
local function each_wire(self, fn)
  for host, wire in pairs(self.wire_of) do
    local ok, message, code = fn(wire, host)
    if not ok then return nil, message, code end
  end
  return true
end

local function swallow(self, direction, on)
  local directions = self.settings.directions
  return each_wire(self, function(wire)
    for from = 1, 2 do
      if not direction or direction == directions[from] then wire:swallow(from, on) end
    end
    return true
  end)
end

-- The kernel tells of a carrier a little later. If one goes and comes back before that, nobody hears of it. Nobody
-- waits for a network that ends meanwhile.
local function wait_until_known(self, host, on)
  interfaces.wait_until(function()
    local at = interfaces.addresses(host, self)
    if not at then return true end
    local is_up, message = core.link_is_up(host, at.interface)
    if is_up == nil then return nil, message end
    return is_up == on
  end, host, "the carrier")
end

-- Both ends of a link are hosts'; the far end of a LAN's port is the switch's.
local function plug(self, on)
  local ok, message, code = each_wire(self, function(wire)
    local done, why, failure = wire:plug(1, on)
    if not done or self.kind ~= "link" then return done, why, failure end
    return wire:plug(2, on)
  end)
  if not ok then return nil, message, code end
  for _, host in ipairs(self.hosts) do
    if self.kind == "link" or self.wire_of[host] then wait_until_known(self, host, on) end
  end
  return true
end

--- Cuts the cable: every host on the network loses its carrier, as when the cable is out at both ends. Addresses and
--- routes stay, and so do connections. Nothing arrives, the resolution of addresses neither. Waits until all know.
---
--- With `silently` no host notices: the carrier stays, and the network swallows every frame that enters it, those that
--- resolve addresses among them. Each is an event of the timeline. Frames that are on their way arrive.
---
---     print(link:cut { silently = true }) --> true
---     print(select(3, client:connect(listener, 0.01))) --> TIMEOUT
---@async
---@param options? {silently?: boolean, direction?: string} direction: of a silent cut, swallow only the frames that go
--- this way: "a_to_b" or "b_to_a" of a link, "from_host" or "to_host" of a LAN
---@return true|nil ok
---@return string? message
---@return string? code "EOPNOTSUPP": lunet does not forward these frames; `delay = 0` changes that. "CLOSED"
function net:cut(options)
  core.check_self(self, "lunet.network")
  options = options or {}
  option_table.check("cut", options, CUT)
  if options.direction and not options.silently then
    core.misuse "cut: direction: only a silent cut has one: a carrier is there both ways or not at all"
  end
  local wires, message, code = forwarded.wires(self, "cut")
  if not wires then return nil, message, code end
  if options.direction then
    option_table.value("cut: direction", options.direction, option_table.one_of(self.settings.directions))
  end
  if options.silently then return swallow(self, options.direction, true) end
  return plug(self, false)
end

-- Plugs the cable in at a host, or pulls it.
local function plug_at(self, method, host, on)
  option_table.value(method, host, interfaces.member(self))
  local wires, message, code = forwarded.wires(self, method)
  if not wires then return nil, message, code end
  local wire, is_far = self.wire_of[host], false
  if not wire and self.kind == "link" then wire, is_far = wires[1], true end
  if not wire then return forwarded.refuse(self, method) end
  local ok
  ok, message, code = wire:plug(is_far and 2 or 1, on)
  if ok then wait_until_known(self, host, on) end
  return ok, message, code
end

--- Pulls the cable at one host: this host loses its carrier, and nobody else notices. Waits until it knows.
---
---     assert(link:unplug(client))
---     print(select(3, client:connect(link:address(server) .. ":7300", 0.01)) ~= nil) --> true
---@async
---@param host lunet.host
---@return true|nil ok
---@return string? message
---@return string? code as for cut
function net:unplug(host)
  core.check_self(self, "lunet.network")
  local ok, message, code = plug_at(self, "unplug", host, false)
  return ok, message, code
end

--- Puts the cable of one host back. A silent cut stays. Waits until the host has its carrier again. A host that had
--- none asks for its neighbours again.
---
---     assert(link:unplug(client))
---     assert(link:plug(client))
---     print((client:connect(listener, 60))) --> connection ...
---@async
---@param host lunet.host
---@return true|nil ok
---@return string? message
---@return string? code as for cut
function net:plug(host)
  core.check_self(self, "lunet.network")
  local ok, message, code = plug_at(self, "plug", host, true)
  return ok, message, code
end

--- Undoes every cut and unplug. Waits until all hosts have their carriers again, for some milliseconds.
---
---     assert(link:cut())
---     assert(link:mend())
---     print((client:connect(listener, 60))) --> connection ...
---@async
---@return true|nil ok
---@return string? message
---@return string? code as for cut
function net:mend()
  core.check_self(self, "lunet.network")
  local wires, message, code = forwarded.wires(self, "mend")
  if not wires then return nil, message, code end
  swallow(self, nil, false)
  local ok
  ok, message, code = plug(self, true)
  return ok, message, code
end

return net
