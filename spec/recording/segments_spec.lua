local segments = require "lunet.recording.segments"

local CLIENT, SERVER = "10.0.0.1:4000", "10.0.0.2:7000"

-- A segment as a tap sees it. The client's numbers begin at 1000, the server's at 5000.
local function seen(at, direction, from, flags, sequence, bytes, acknowledgement)
  local first, other = 1000, 5000
  if from == SERVER then first, other = other, first end
  return {
    at = at, direction = direction, from = from, to = from == CLIENT and SERVER or CLIENT, flags = flags,
    sequence = first + sequence, acknowledgement = acknowledgement and other + acknowledgement or 0,
    bytes = bytes or 0, window = 100, length = 52 + (bytes or 0), packet = "",
  }
end

local function values_of(events, ...)
  local rows = {}
  for i, event in ipairs(events) do
    rows[i] = {}
    for j, field in ipairs { ... } do rows[i][j] = event[field] == nil and "-" or event[field] end
  end
  return rows
end

describe("segments of two hosts", function()
  it("are told once each: when one left, and when it arrived", function()
    local events = segments.join {
      [1] = { seen(0, "out", CLIENT, "SYN", 0), seen(3, "in", SERVER, "SYN,ACK", 0, 0, 1) },
      [2] = { seen(1, "in", CLIENT, "SYN", 0), seen(2, "out", SERVER, "SYN,ACK", 0, 0, 1) },
    }
    assert.same({ { 0, 1, 1, 2, "SYN", CLIENT }, { 2, 3, 2, 1, "SYN,ACK", SERVER } },
      values_of(events, "at", "arrived", "host", "to_host", "flags", "from"))
  end)

  it("leave before they arrive, also if the clock has one time for both", function()
    local on_server, on_client = { seen(5, "in", CLIENT, "SYN", 0) }, { seen(5, "out", CLIENT, "SYN", 0) }
    local events = segments.join { [1] = on_server, [2] = on_client }
    assert.same({ { 5, 5, 2, 1, "-" } }, values_of(events, "at", "arrived", "host", "to_host", "lost"))
  end)

  it("have numbers relative to the first of each direction", function()
    local events = segments.join {
      [1] = {
        seen(0, "out", CLIENT, "SYN", 0), seen(1, "in", SERVER, "SYN,ACK", 0, 0, 1),
        seen(2, "out", CLIENT, "ACK", 1, 0, 1), seen(3, "out", CLIENT, "PSH,ACK", 1, 8, 1),
        seen(4, "in", SERVER, "ACK", 1, 0, 9), seen(5, "out", CLIENT, "FIN,ACK", 9, 0, 1),
      },
    }
    assert.same({ { 0, "-" }, { 0, 1 }, { 1, 1 }, { 1, 1 }, { 1, 9 }, { 9, 1 } },
      values_of(events, "sequence", "acknowledgement"))
  end)

  it("have them also when the numbers run over, and when the beginning was not seen", function()
    local function raw(from, sequence, acknowledgement, bytes)
      local s = seen(0, "out", from, "PSH,ACK", 0, bytes, 0)
      s.sequence, s.acknowledgement = sequence, acknowledgement
      return s
    end
    local events = segments.join { [1] = { raw(CLIENT, 0xfffffffc, 77, 8), raw(CLIENT, 4, 77, 8) } }
    assert.same({ { 1, 1 }, { 9, 1 } }, values_of(events, "sequence", "acknowledgement"))
  end)

  it("say which was sent before", function()
    local events = segments.join {
      [1] = {
        seen(0, "out", CLIENT, "SYN", 0), seen(1, "out", CLIENT, "SYN", 0),
        seen(2, "out", CLIENT, "PSH,ACK", 1, 8, 1), seen(3, "out", CLIENT, "PSH,ACK", 9, 8, 1),
        seen(4, "out", CLIENT, "PSH,ACK", 1, 8, 1), seen(5, "out", CLIENT, "ACK", 17, 0, 1),
        seen(6, "out", CLIENT, "ACK", 17, 0, 1),
      },
    }
    assert.same({ { "-" }, { true }, { "-" }, { "-" }, { true }, { "-" }, { "-" } }, values_of(events, "again"))
  end)

  it("are not again where both ends connect at once, until the SYN-ACK is sent again", function()
    local events = segments.join {
      [1] = {
        seen(0, "out", CLIENT, "SYN", 0), seen(1, "in", SERVER, "SYN", 0), seen(2, "out", CLIENT, "SYN,ACK", 0, 0, 1),
        seen(3, "in", SERVER, "SYN,ACK", 0, 0, 1), seen(4, "out", CLIENT, "SYN,ACK", 0, 0, 1),
      },
    }
    assert.same({ { "-" }, { "-" }, { "-" }, { "-" }, { true } }, values_of(events, "again"))
  end)

  it("are not again where a host between the two forwards them", function()
    local events = segments.join {
      [1] = { seen(0, "out", CLIENT, "SYN", 0), seen(4, "out", CLIENT, "SYN", 0) },
      [2] = { seen(1, "in", CLIENT, "SYN", 0), seen(2, "out", CLIENT, "SYN", 0), seen(5, "in", CLIENT, "SYN", 0),
        seen(6, "out", CLIENT, "SYN", 0) },
      [3] = { seen(3, "in", CLIENT, "SYN", 0), seen(7, "in", CLIENT, "SYN", 0) },
    }
    assert.same({ { 1, 2, "-" }, { 2, 3, "-" }, { 1, 2, true }, { 2, 3, true } },
      values_of(events, "host", "to_host", "again"))
  end)

  it("take a new SYN with a number of its own for a new connection from the same port", function()
    local again = seen(2, "out", CLIENT, "SYN", 500)
    local events = segments.join { [1] = { seen(0, "out", CLIENT, "SYN", 0), again } }
    assert.same({ { 0, "-" }, { 0, "-" } }, values_of(events, "sequence", "again"))
  end)

  it("are lost on the link if they left and never arrived at a host that others arrived at", function()
    local events = segments.join {
      [1] = { seen(0, "out", CLIENT, "SYN", 0), seen(2, "out", CLIENT, "SYN", 0) },
      [2] = { seen(3, "in", CLIENT, "SYN", 0) },
    }
    assert.same({ { 0, 3, "-" }, { 2, "-", "link" } }, values_of(events, "at", "arrived", "lost"))
  end)

  it("are lost by a wire that says so; its other losses were no segments that a tap saw", function()
    local function loss(flags, sequence, cause)
      return { kind = "loss", cause = cause, local_address = CLIENT, peer_address = SERVER, flags = flags,
        sequence = sequence, acknowledgement = 0, bytes = 0 }
    end
    local never_sent = loss("SYN", 77, "chance")
    local events, others = segments.join({
      [1] = { seen(0, "out", CLIENT, "SYN", 0), seen(2, "out", CLIENT, "SYN", 0), seen(4, "out", CLIENT, "SYN", 0) },
      [2] = { seen(5, "in", CLIENT, "SYN", 0) },
    }, nil, { loss("SYN", 1000, "capacity"), loss("SYN", 1000, "chance"), never_sent })
    assert.same({ { 0, 5, "-" }, { 2, "-", "capacity" }, { 4, "-", "chance" } },
      values_of(events, "at", "arrived", "lost"))
    assert.same({ never_sent }, others)
  end)

  it("are not said to be lost when the receiver has no tap", function()
    local events = segments.join { [1] = { seen(0, "out", CLIENT, "SYN", 0) } }
    assert.same({ { 0, "-", "-" } }, values_of(events, "at", "arrived", "lost"))
  end)

  it("are told by their arrival when the sender has no tap", function()
    local events = segments.join { [2] = { seen(1, "in", CLIENT, "SYN", 0) } }
    assert.same({ { 1, 1, "-", 2 } }, values_of(events, "at", "arrived", "host", "to_host"))
  end)

  it("are lost by a rule of the receiver if that says so", function()
    local asked = {}
    local events = segments.join({
      [1] = { seen(0, "out", CLIENT, "SYN", 0), seen(2, "out", CLIENT, "FIN,ACK", 1, 0, 1) },
      [2] = { seen(1, "in", CLIENT, "SYN", 0), seen(3, "in", CLIENT, "FIN,ACK", 1, 0, 1) },
    }, function(event)
      asked[#asked + 1] = event.flags
      return event.flags == "SYN"
    end)
    assert.same({ { "rule" }, { "-" } }, values_of(events, "lost"))
    assert.same({ "SYN", "FIN,ACK" }, asked)
  end)

  it("are lost by a rule of the sender if they go to the loopback, and do not arrive there", function()
    local diverted = seen(2, "out", CLIENT, "PSH,ACK", 1, 8, 1)
    diverted.at_loopback = true
    local events = segments.join {
      [1] = { seen(0, "out", CLIENT, "SYN", 0), diverted },
      [2] = { seen(1, "in", CLIENT, "SYN", 0) },
    }
    assert.same({ { SERVER, "-", 1 }, { SERVER, "rule", "-" } }, values_of(events, "to", "lost", "arrived"))
  end)

  it("cross a loopback from a host to itself", function()
    local out, arrived = seen(0, "out", CLIENT, "SYN", 0), seen(1, "in", CLIENT, "SYN", 0)
    out.from, out.to, arrived.from, arrived.to = "127.0.0.1:4000", "127.0.0.1:7000", "127.0.0.1:4000", "127.0.0.1:7000"
    out.at_loopback, arrived.at_loopback = true, true
    assert.same({ { 0, 1, 1, 1, "-" } },
      values_of(segments.join { [1] = { out, arrived } }, "at", "arrived", "host", "to_host", "lost"))
  end)

  it("are none of no captures", function() assert.same({}, segments.join {}) end)
end)
