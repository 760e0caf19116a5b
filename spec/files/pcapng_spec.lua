local lunet = require "lunet"
local pcapng = require "lunet.files.pcapng"
local run_of = require("lunet.run.run").of
local recording = require "lunet.recording.recording"
local tshark = require "spec.support.tshark"

local BOUND <const> = require "spec.support.bound"

local function record(fn)
  local recorder <close> = recording.start "segments"
  lunet.scope(function()
    local client, server = assert(lunet.host "client"), assert(lunet.host "server")
    lunet.link(client, server)
    fn(client, server)
  end)
  local recorded = run_of(recorder:finish())
  recorded.to_wall = function() return 1.5e9 end
  return recorded
end

local function segments_of(recorded)
  local segments = {}
  for _, e in ipairs(recorded.events) do
    if e.kind == "segment" then segments[#segments + 1] = e end
  end
  return segments
end

for family, address in pairs { ipv4 = "0.0.0.0", ipv6 = "::" } do
  it("a pcapng file has every segment, once, at its time and with its sender, by " .. family, function()
    local recorded = record(function(client, server)
      local listener = assert(server:listen { port = 7300, backlog = 1, address = address })
      local near = assert(client:connect(listener, BOUND))
      local far = assert(listener:accept(BOUND))
      assert(near:send "hello\n")
      assert(far:receive("l", BOUND))
      near:close()
      assert.equal("EOF", (select(3, far:receive(1, BOUND))))
      far:close()
    end)
    local rows, result = tshark.read(pcapng.encode(recorded), "frame.time_epoch",
      "frame.interface_name", "tcp.flags.syn", "tcp.flags.ack", "tcp.len", "tcp.seq", "tcp.dstport")
    local segments = segments_of(recorded)
    assert.equal(0, result.status, result.errors)
    assert.equal(#segments, #rows)
    for i, row in ipairs(rows) do
      local s = segments[i]
      assert.is_true(math.abs(tonumber(row[1]) - 1.5e9 - s.at) < 1e-6)
      assert.same({ recorded.hosts[s.host], s.bytes, s.sequence, s.to:match ":(%d+)$" },
        { row[2], tonumber(row[5]), tonumber(row[6]), row[7] })
    end
    assert.same({ { "client", "1", "0" }, { "server", "1", "1" } },
      { { rows[1][2], rows[1][3], rows[1][4] }, { rows[2][2], rows[2][3], rows[2][4] } })
  end)
end

it("a pcapng file says of a segment that it was lost, or sent again", function()
  local recorded = record(function(client, server)
    local listener = assert(server:listen { port = 7300, backlog = 1 })
    local rule <close> = assert(server:drop { flags = "data", first = 1 })
    local near = assert(client:connect(listener, BOUND))
    local far = assert(listener:accept(BOUND))
    assert(near:send "hello\n")
    assert(far:receive("l", BOUND))
    assert.equal(1, rule:lost())
  end)
  local comments = {}
  for _, row in ipairs(tshark.read(pcapng.encode(recorded), "frame.comment", "tcp.len")) do
    if row[2] == "6" then comments[#comments + 1] = row[1] end
  end
  assert.same({ "lost by a rule", "sent again" }, comments)
end)

it("a pcapng file of nothing is one", function()
  local rows, result = tshark.read(pcapng.encode(run_of {}), "frame.number")
  assert.same({ 0, {} }, { result.status, rows })
end)
