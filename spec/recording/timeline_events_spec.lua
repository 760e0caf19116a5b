local merged = require "spec.support.merged"
local run_of = require("lunet.run.run").of

-- "who what", or "> note", one string a line; the queue behind it, where it changed.
local function read(events)
  local texts = {}
  for i, line in ipairs(run_of({ events = events }):rows()) do
    local text = line.note and "> " .. line.note or line.who .. " " .. line.what
    texts[i] = line.queue and text .. " [" .. line.queue .. "]" or text
  end
  return texts
end

--- Events at 0 s, 1 s, ...: fields of each, with the defaults that the core gives.
local function events_of(list)
  for i, e in ipairs(list) do
    e.at = e.at or i - 1
    e.socket = e.socket or 1
    e.bytes = e.bytes or 0
  end
  return list
end

describe("the timeline of events", function()
  it("is empty for none", function()
    assert.same({}, run_of({ events = {} }):rows())
  end)

  it("has a line for each, but none for the queue", function()
    local lines = run_of({ events = events_of {
      { kind = "listen", local_port = 7000, bytes = 5 },
      { kind = "queue", local_port = 7000, depth = 0, limit = 5 },
      { kind = "note", text = "a note" },
      { kind = "queue", local_port = 7000, depth = 1, limit = 5, at = 1 },
    } }):rows()
    assert.same({
      { at = 0, who = "server", what = "listens, backlog 5", queue = "0/5" },
      { at = 2, note = "a note", queue = "1/5" },
    }, lines)
  end)

  it("tells the last of several changes of the queue at one event", function()
    assert.same({ "> a note [2/5]" }, read(events_of {
      { kind = "note", text = "a note" },
      { kind = "queue", depth = 1, limit = 5 },
      { kind = "queue", depth = 2, limit = 5 },
    }))
  end)

  it("says nothing of a queue before the first event", function()
    assert.same({ "> a note" }, read(events_of {
      { kind = "queue", depth = 1, limit = 5 },
      { kind = "note", text = "a note" },
    }))
  end)

  it("knows the far end from an event that comes later", function()
    assert.same({
      "server accepts A's connection",
      "A connects to server: success",
    }, read(events_of {
      { kind = "accept", socket = 2, local_port = 7000, peer_port = 4000 },
      { kind = "connect", socket = 3, local_port = 4000, peer_port = 7000, label = "A" },
    }))
  end)

  it("knows it also without labels", function()
    assert.same({
      "server accepts client's connection",
      "client closes its socket",
      "client cannot connect to port 7000 (CLOSED)",
      "client connects to server: success",
    }, read(events_of {
      { kind = "accept", socket = 2, local_port = 7000, peer_port = 4000 },
      { kind = "close", socket = 4, peer_port = 7000 },
      { kind = "connect", socket = 4, peer_port = 7000, code = "CLOSED" }, -- closed while it connected
      { kind = "connect", socket = 3, local_port = 4000, peer_port = 7000 },
    }))
  end)

  it("takes the first of those who use the same ports, until the next one comes", function()
    assert.same({
      "server accepts A's connection",
      "A connects to server: success",
      "B connects to server: success",
      "server accepts B's connection",
    }, read(events_of {
      { kind = "accept", socket = 2, local_port = 7000, peer_port = 4000 },
      { kind = "connect", socket = 3, local_port = 4000, peer_port = 7000, label = "A" },
      { kind = "connect", socket = 4, local_port = 4000, peer_port = 7000, label = "B" },
      { kind = "accept", socket = 5, local_port = 7000, peer_port = 4000 },
    }))
  end)

  it("keeps the names when the events that introduced them are lost", function()
    assert.same({
      "the shop receives 5 bytes from A",
      "A closes its connection with the shop",
      "the shop closes its connection with A",
      "the shop closes the listener",
    }, read(events_of {
      { kind = "receive", socket = 2, local_port = 7000, peer_port = 4000, bytes = 5 },
      { kind = "close", socket = 3, local_port = 4000, peer_port = 7000, label = "A" },
      { kind = "close", socket = 2, local_port = 7000, peer_port = 4000 },
      { kind = "close", socket = 1, local_port = 7000, label = "the shop" },
    }))
  end)

  it("keeps the roles when even the labels are lost", function()
    assert.same({ "server closes the listener", "client sends 1 byte" }, read(events_of {
      { kind = "close", socket = 1, local_port = 7000 },
      { kind = "send", socket = 2, local_port = 4000, peer_port = 80, bytes = 1 },
    }))
  end)

  local failures = {
    { "connect", "TIMEOUT", "gives up connecting to B: no answer (TIMEOUT)" },
    { "connect", "ECONNREFUSED", "cannot connect to B (ECONNREFUSED)" },
    { "connect", "ETIMEDOUT", "cannot connect to B (ETIMEDOUT)" },
    { "receive", "TIMEOUT", "gives up waiting for bytes (TIMEOUT)" },
    { "receive", "EOF", "reads the end of what B sent (EOF)" },
    { "receive", "ECONNRESET", "cannot receive (ECONNRESET)" },
    { "send", "EPIPE", "cannot send: B is gone (EPIPE)" },
    { "send", "TIMEOUT", "finds no room to send (TIMEOUT)" },
    { "send", "CANCELED", "cannot send (CANCELED)" },
    { "shutdown", "ENOTCONN", "cannot shutdown (ENOTCONN)" },
  }
  for _, failure in ipairs(failures) do
    local kind, code, text = table.unpack(failure)
    it(("says of %s and %s: %s"):format(kind, code, text), function()
      assert.same({ "B connects to A: success", "A " .. text }, read(events_of {
        { kind = "connect", socket = 2, local_port = 80, peer_port = 4000, label = "B" },
        { kind = kind, socket = 1, local_port = 4000, peer_port = 80, code = code, label = "A" },
      }))
    end)
  end

  it("says how many bytes went out before it failed", function()
    assert.same({
      "A finds no room to send (TIMEOUT), after 1000 bytes",
      "A cannot send: the peer is gone (EPIPE), after 1 byte",
    }, read(events_of {
      { kind = "send", code = "TIMEOUT", bytes = 1000, label = "A" },
      { kind = "send", code = "EPIPE", bytes = 1, label = "A" },
    }))
  end)

  it("says of the listener what it fails at", function()
    assert.same({
      "the shop listens, backlog 1",
      "the shop gives up waiting for a connection (TIMEOUT)",
      "the shop stops accepting (CLOSED)",
      "the shop cannot accept (EMFILE)",
    }, read(events_of {
      { kind = "listen", local_port = 7000, bytes = 1, label = "the shop" },
      { kind = "accept", local_port = 7000, code = "TIMEOUT", label = "the shop" },
      { kind = "accept", local_port = 7000, code = "CLOSED", label = "the shop" },
      { kind = "accept", local_port = 7000, code = "EMFILE", label = "the shop" },
    }))
  end)

  -- A close event's sentence once took every socket without ports for a connection.
  it("knows a listener by its listen event, also without a port", function()
    assert.same({ "server listens, backlog 1", "server closes the listener" }, read(events_of {
      { kind = "listen", bytes = 1 },
      { kind = "close" },
    }))
  end)

  it("has a sentence for every kind that the core records", function()
    for _, kind in ipairs { "listen", "connect", "accept", "send", "receive", "shutdown", "close", "reset", "gate",
      "resize", "dissolve", "set" } do
      local lines = run_of({ events = events_of { { kind = kind, label = "A", text = "nodelay = true" } } }):rows()
      assert.match("%l", lines[1].what)
    end
  end)

  it("leaves the events alone", function()
    local events = events_of { { kind = "send", bytes = 1, label = "A" }, { kind = "note", text = "x" } }
    run_of({ events = events }):rows()
    assert.same(events_of { { kind = "send", bytes = 1, label = "A" }, { kind = "note", text = "x" } }, events)
  end)
end)

-- By a simultaneous open with itself (RFC 9293, 3.5).
describe("the timeline of a connection with itself", function()
  local function of_self(fields)
    return merged({ socket = 1, label = "A", local_address = "127.0.0.1:4000", peer_address = "127.0.0.1:4000",
      local_port = 4000, peer_port = 4000 }, fields)
  end

  it("says so at every call", function()
    assert.same({
      "A connects to itself: success",
      "A sends 8 bytes to itself",
      "A receives 8 bytes from itself",
      "A reads the end of what it sent (EOF)",
      "A cannot send: it is gone (EPIPE)",
      "A closes its connection with itself",
    }, read(events_of {
      of_self { kind = "connect" },
      of_self { kind = "send", bytes = 8 },
      of_self { kind = "receive", bytes = 8 },
      of_self { kind = "receive", code = "EOF" },
      of_self { kind = "send", code = "EPIPE" },
      of_self { kind = "close" },
    }))
    assert.same({ "A gives up connecting to itself: no answer (TIMEOUT)" }, read(events_of {
      of_self { kind = "connect", code = "TIMEOUT" } }))
  end)

  it("says so at every segment", function()
    local run = run_of { events = events_of {
      of_self { kind = "connect", host = 1 },
      { kind = "segment", host = 1, to_host = 1, from = "127.0.0.1:4000", to = "127.0.0.1:4000", flags = "SYN",
        sequence = 0, arrived = 0 },
    } }
    assert.same({ "A", "itself" }, { run:rows()[2].who, run:rows()[2].whom })
  end)
end)

describe("the timeline's kernel side", function()
  local function lines_of(events) return run_of({ events = events_of(events) }):rows() end

  it("tells of the counters that moved only those that tell of something", function()
    assert.same({ { at = 0, host = 2, who = "server", what = "ListenDrops +1, ListenOverflows +2", is_kernel = true } },
      lines_of {
        { kind = "counters", host = 2, label = "server", moved = { ListenOverflows = 2, ListenDrops = 1, InSegs = 9 } },
        { kind = "counters", host = 2, label = "server", moved = { InSegs = 9, CurrEstab = -1 } },
      })
  end)

  local function held(state, bytes, peer)
    return { state = state, owned = false, receive_queue = bytes, send_queue = 0, retransmits = 0,
      local_address = "10.0.0.1:7000", peer_address = peer }
  end

  it("tells of a connection that nobody accepted, by its client's name; a FIN is no byte", function()
    local lines = lines_of {
      { kind = "connect", host = 1, label = "B", local_address = "10.0.0.2:4000", peer_address = "10.0.0.1:7000" },
      { kind = "sockets", host = 2, label = "server", changed = { held("CLOSE_WAIT", 9, "10.0.0.2:4000") } },
      { kind = "sockets", host = 2, label = "server", changed = { held("ESTABLISHED", 8, "10.0.0.9:1") } },
    }
    assert.equal("holds B's connection unaccepted: CLOSE_WAIT, 8 bytes unread", lines[2].what)
    assert.equal("holds a connection unaccepted: ESTABLISHED, 8 bytes unread", lines[3].what)
  end)

  it("counts them when they are several, and is silent of accepted ones", function()
    local owned = held("ESTABLISHED", 5, "10.0.0.2:3")
    owned.owned = true
    local lines = lines_of {
      { kind = "sockets", host = 2, label = "server", changed = {
        held("CLOSE_WAIT", 9, "10.0.0.2:1"), held("ESTABLISHED", 8, "10.0.0.2:2"), owned } },
      { kind = "sockets", host = 2, label = "server", changed = { owned } },
    }
    assert.same({ "holds 2 connections unaccepted, 1 of them left by FIN; 16 bytes unread" },
      { lines[1].what, lines[2] })
  end)
end)

describe("the timeline's segments", function()
  local function segment(fields)
    return merged({ kind = "segment", host = 1, to_host = 2, from = "10.0.0.2:4000", to = "10.0.0.1:7000",
      flags = "ACK", bytes = 0, sequence = 5, acknowledgement = 5, arrived = 0.1 }, fields)
  end

  for _, case in ipairs {
    { { flags = "SYN", sequence = 0 }, "SYN" },
    { { flags = "SYN,ACK", sequence = 0, acknowledgement = 1 }, "SYN-ACK" },
    { { flags = "PSH,ACK", bytes = 8 }, "8 bytes" },
    { { flags = "FIN,PSH,ACK", bytes = 8 }, "FIN 8 bytes" },
    { { flags = "FIN,ACK" }, "FIN" },
    { { flags = "RST,ACK" }, "RST" },
    { { flags = "SYN", sequence = 0, again = true }, "SYN again" },
    { { sequence = 1, acknowledgement = 1 }, "ACK" }, -- the end of the handshake
    { { lost = "rule" }, "ACK" },
  } do
    it(("calls %s of %d bytes \"%s\""):format(case[1].flags or "ACK", case[1].bytes or 0, case[2]), function()
      assert.equal(case[2], run_of({ events = events_of { segment(case[1]) } }):rows()[1].segment)
    end)
  end

  it("leaves out acknowledgements of nothing but data", function()
    assert.same({}, run_of({ events = events_of { segment {} } }):rows())
  end)

  it("knows who sent it to whom by their addresses, although ports are the same on two hosts", function()
    local lines = run_of({ events = events_of {
      { kind = "connect", socket = 1, host = 1, label = "A", local_address = "10.0.0.2:4000",
        peer_address = "10.0.0.1:7000" },
      { kind = "connect", socket = 2, host = 3, label = "B", local_address = "10.0.1.2:4000",
        peer_address = "10.0.1.1:7000" },
      segment { flags = "FIN,ACK" },
      segment { flags = "FIN,ACK", host = 3, from = "10.0.1.2:4000", to = "10.0.1.1:7000" },
      segment { flags = "RST", host = 2, to_host = 3, from = "10.0.1.1:7000", to = "10.0.1.2:4000" },
    } }):rows()
    assert.same({ "A", "B", "B" }, { lines[3].who, lines[4].who, lines[5].whom })
  end)
end)
