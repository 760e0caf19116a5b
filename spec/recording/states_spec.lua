local merged = require "spec.support.merged"
local cast = require "lunet.recording.cast"
local states = require "lunet.recording.states"

local A <const>, SERVER <const> = "10.0.0.2:5000", "10.0.0.1:7000"

local function segment(at, is_out, flags, sequence, acknowledgement, fields)
  return merged({ kind = "segment", at = at, arrived = at + 0.1, host = is_out and 2 or 1, to_host = is_out and 1 or 2,
    from = is_out and A or SERVER, to = is_out and SERVER or A, flags = flags, sequence = sequence,
    acknowledgement = acknowledgement, bytes = 0 }, fields)
end

local function call(at, kind, host, fields)
  return merged({ kind = kind, at = at, host = host, socket = host, bytes = 0,
    local_address = host == 2 and A or SERVER, peer_address = host == 2 and SERVER or A }, fields)
end

local LISTEN <const> = { kind = "listen", at = 0, host = 1, socket = 9, local_address = "0.0.0.0:7000",
  local_port = 7000, bytes = 5 }

local function handshake()
  return { LISTEN, segment(1, true, "SYN", 0), segment(2, false, "SYN,ACK", 0, 1), segment(3, true, "ACK", 1, 1) }
end

local function with(list, ...)
  for _, e in ipairs { ... } do list[#list + 1] = e end
  return list
end

-- "SYN_SENT 1, ESTABLISHED 2.1"
local function told(of)
  local parts = {}
  for i, spell in ipairs(of.spells) do parts[i] = ("%s %g"):format(spell.state, spell.from) end
  return table.concat(parts, ", ")
end

local function find(list, host)
  for _, of in ipairs(states.of(list, 100, cast.of(list))) do
    if of.host == host then return of end
  end
end

describe("connection states", function()
  it("begin with a handshake among the segments", function()
    assert.equal("SYN_SENT 1, ESTABLISHED 2.1", told(find(handshake(), 2)))
    assert.equal("SYN_RECV 2, ESTABLISHED 3.1", told(find(handshake(), 1)))
  end)

  it("begin with a SYN-ACK each way where both ends connect at once", function()
    local list = { segment(1, true, "SYN", 0), segment(1, false, "SYN", 0), segment(2, true, "SYN,ACK", 0, 1),
      segment(2, false, "SYN,ACK", 0, 1) }
    assert.equal("SYN_SENT 1, SYN_RECV 2, ESTABLISHED 2.1", told(find(list, 2)))
    assert.equal("SYN_SENT 1, SYN_RECV 2, ESTABLISHED 2.1", told(find(list, 1)))
  end)

  it("end with a FIN each way", function()
    local list = with(handshake(), segment(5, true, "FIN,ACK", 1, 1), segment(6, false, "ACK", 1, 2),
      segment(7, false, "FIN,ACK", 1, 2), segment(8, true, "ACK", 2, 2))
    assert.equal("SYN_SENT 1, ESTABLISHED 2.1, FIN_WAIT1 5, FIN_WAIT2 6.1, TIME_WAIT 7.1", told(find(list, 2)))
    local server = find(list, 1)
    assert.equal("SYN_RECV 2, ESTABLISHED 3.1, CLOSE_WAIT 5.1, LAST_ACK 7", told(server))
    assert.near(8.1, server.spells[4].to, 1e-9)
  end)

  it("end with a RST on both sides, but not where it was lost", function()
    local list = with(handshake(), segment(5, true, "RST", 1))
    assert.equal(5, find(list, 2).spells[2].to)
    assert.near(5.1, find(list, 1).spells[2].to, 1e-9)
    list[#list].lost = "rule"
    assert.is_nil(find(list, 1).spells[2].to)
  end)

  it("stay in the handshake as long as the SYN-ACK is sent again: a full queue drops the ACK", function()
    local list = with(handshake(), segment(4, false, "SYN,ACK", 0, 1, { again = true }), segment(5, true, "ACK", 1, 1))
    assert.equal("SYN_RECV 2, ESTABLISHED 5.1", told(find(list, 1)))
  end)

  it("come from calls where there are no segments", function()
    local list = { LISTEN, call(2, "connect", 2, { since = 1 }), call(3, "accept", 1), call(4, "close", 2),
      call(5, "receive", 1, { code = "EOF" }), call(6, "close", 1) }
    assert.equal("SYN_SENT 1, ESTABLISHED 2", told(find(list, 2)))
    assert.equal(4, find(list, 2).spells[2].to)
    assert.equal("ESTABLISHED 3, CLOSE_WAIT 5", told(find(list, 1)))
    assert.equal("call", find(list, 1).spells[1].source)
    list[4].kind = "dissolve"
    assert.equal(4, find(list, 2).spells[2].to)
  end)

  it("are set right by a snapshot", function()
    local function snapshot(at, state) return { kind = "sockets", at = at, host = 1, changed = { { state = state,
      local_address = SERVER, peer_address = A } } } end
    local list = with(handshake(), snapshot(5, "CLOSE_WAIT"), snapshot(6, "gone"), snapshot(7, "gone"))
    local server = find(list, 1)
    assert.equal("SYN_RECV 2, ESTABLISHED 3.1, CLOSE_WAIT 5", told(server))
    assert.same({ "snapshot", 6 }, { server.spells[3].source, server.spells[3].to })
  end)

  it("tell how long it waited in the queue of a script's listener", function()
    local server = find(with(handshake(), call(9, "accept", 1)), 1)
    assert.near(3.1, server.queued_from, 1e-9)
    assert.equal(9, server.queued_to)
    local never = find(with(handshake(), call(20, "close", 2)), 1)
    assert.equal(20, never.queued_to)
    local others = handshake()
    table.remove(others, 1)
    assert.is_nil(find(others, 1).queued_from)
  end)

  it("are of as many ends as asked for, and say how many more there are", function()
    local list = handshake()
    for i = 1, 5 do list[#list + 1] = segment(10 + i, true, "SYN", 0, nil, { from = "10.0.0.2:" .. 6000 + i }) end
    local ends, left_out = states.of(list, 3, cast.of(list))
    assert.same({ 3, 9 }, { #ends, left_out })
  end)

  it("take nothing", function()
    assert.same({}, (states.of({}, 5, cast.of {})))
  end)
end)
