--- Events that nobody recorded: of clients that connect, send and leave, with their segments.
local merged = require "spec.support.merged"
local run_of = require("lunet.run.run").of

local events = {}

local SERVER <const>, PORT <const> = 1, 7000

local function segment(at, from, to, flags, fields)
  return merged({ kind = "segment", at = at, arrived = at + 2e-6, from = from.address, to = to.address,
    host = from.host, to_host = to.host, flags = flags, sequence = 1, acknowledgement = 1, bytes = 0, window = 500,
    length = 52, packet = "" }, fields)
end

local function call(at, kind, host, socket, near, far, fields)
  return merged({ kind = kind, at = at, host = host, socket = socket, label = host == SERVER and "server" or "A",
    local_address = near, local_port = tonumber(near:match ":(%d+)$"), peer_address = far, bytes = 0,
    peer_port = far and tonumber(far:match ":(%d+)$") }, fields)
end

-- One client, from SYN to its leaving, in twelve events.
local function add_client(list, number, at)
  local host = 2 + number % 2
  local near = { host = host, address = ("10.0.%d.2:%d"):format(host, 20000 + number % 40000) }
  local server = { host = SERVER, address = ("10.0.%d.1:%d"):format(host, PORT) }
  local function add(e) list[#list + 1] = e end
  add(segment(at, near, server, "SYN", { sequence = 0, acknowledgement = nil }))
  add(segment(at + 10e-6, server, near, "SYN,ACK", { sequence = 0 }))
  add(segment(at + 20e-6, near, server, "ACK"))
  add(call(at + 30e-6, "connect", host, number + 10, near.address, server.address, { since = at - 5e-6 }))
  add({ kind = "queue", at = at + 31e-6, host = SERVER, socket = 1, depth = number % 5, limit = 4,
    local_address = "0.0.0.0:7000", local_port = PORT })
  add(segment(at + 40e-6, near, server, "PSH,ACK", { bytes = 8 }))
  add(segment(at + 50e-6, server, near, "ACK", { acknowledgement = 9 }))
  add(call(at + 60e-6, "send", host, number + 10, near.address, server.address, { bytes = 8 }))
  add(call(at + 300e-6, "receive", host, number + 10, near.address, server.address,
    { code = "TIMEOUT", since = at + 61e-6 }))
  add(segment(at + 310e-6, near, server, "FIN,ACK", { sequence = 9 }))
  add(call(at + 320e-6, "close", host, number + 10, near.address, server.address))
  add(segment(at + 350e-6, server, near, "RST", { sequence = 1 }))
end

--- A run with so many events.
---@param count integer
---@return lunet.run
function events.run(count)
  local list = { call(0, "listen", SERVER, 1, "0.0.0.0:7000", nil, { bytes = 4 }) }
  local number, at = 0, 0.001
  while #list < count do
    if number % 500 == 0 then list[#list + 1] = { kind = "note", at = at - 10e-6, text = "Client " .. number } end
    add_client(list, number, at)
    number, at = number + 1, at + (number % 100 == 0 and 0.3 or 0.001)
  end
  for i = #list, count + 1, -1 do list[i] = nil end
  return run_of { name = "many", claim = "It is written in time.", events = list, hosts = { "server", "A", "B" },
    taps = { dropped = 0, error = 1e-7 }, outcome = {}, verdict = "holds", environment = {} }
end

return events
