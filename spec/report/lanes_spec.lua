local lanes = require "lunet.report.lanes"
local run_of = require("lunet.run.run").of

local RUN <const> = run_of { hosts = { "server", "A", "B", "server", "A" } }

local function listens(at, host, socket)
  return { kind = "listen", at = at, host = host, socket = socket, local_port = 7000, local_address = "0.0.0.0:7000" }
end

local function queue(at, host, socket)
  return { kind = "queue", at = at, host = host, socket = socket, local_port = 7000, depth = 0, limit = 1 }
end

local function sends(at, host, port) return { kind = "send", at = at, host = host, socket = 9, local_port = port } end

local function names(of)
  local list = {}
  for i, lane in ipairs(of.list) do list[i] = lane.kind .. " " .. lane.name end
  return list
end

describe("lanes", function()
  it("are clients, then each server with its queue before it", function()
    local of = lanes.of({ listens(0, 1, 1), queue(0, 1, 1), sends(1, 3, 5001), sends(2, 2, 5000) }, RUN)
    assert.same({ "client B", "client A", "queue queue", "server server" }, names(of))
    assert.equal("port 7000", of.list[3].detail)
    assert.equal(of.list[2], of:of_event(sends(2, 2, 5000)))
    assert.equal(of.list[4], of:of_event(sends(2, 1, 7000)))
    assert.equal(of.list[3], of:of_queue(queue(0, 1, 1)))
  end)

  it("are two for a host that is both", function()
    local of = lanes.of({ listens(0, 0, 1), sends(1, 0, 5000), sends(1, 0, 7000) }, run_of {})
    assert.same({ "client home (client)", "server home (server)" }, names(of))
    local from, to = of:of_segment { kind = "segment", host = 0, to_host = 0, from = "127.0.0.1:7000",
      to = "127.0.0.1:5000" }
    assert.same({ "server", "client" }, { from.kind, to.kind })
  end)

  it("are shared by those of one name that come one after the other", function()
    local of = lanes.of({ listens(0, 1, 1), sends(1, 2, 5000), listens(2, 4, 2), sends(3, 5, 5000) }, RUN)
    assert.same({ "client A", "server server" }, names(of))
    assert.equal(2, #of.list[1].spans)
    local at_once = lanes.of({ sends(0, 2, 5000), sends(1, 5, 5000), sends(2, 2, 5000) }, RUN)
    assert.same({ "client A", "client A 2" }, names(at_once))
  end)

  it("are known from segments where no script listens", function()
    local of = lanes.of({ { kind = "segment", at = 0, host = 1, to_host = 2, from = "10.0.0.1:80",
      to = "10.0.0.2:5", flags = "SYN,ACK" } }, RUN)
    assert.same({ "client A", "server server" }, names(of))
  end)

  it("are there for programs, and none for notes", function()
    local of = lanes.of({ { kind = "note", at = 0, text = "x" }, { kind = "exec", at = 1, host = 1, socket = 3 } },
      RUN)
    assert.same({ "client server" }, names(of))
    assert.is_nil(of:of_event { kind = "note" })
    assert.same({}, lanes.of({}, run_of {}).list)
  end)
end)
