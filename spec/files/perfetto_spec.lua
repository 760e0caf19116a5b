local dkjson = require "dkjson"
local merged = require "spec.support.merged"
local perfetto = require "lunet.files.perfetto"
local run_of = require("lunet.run.run").of

local HOSTS = { "A", "server" }

local function encode(events)
  return dkjson.decode(perfetto.encode(run_of { events = events, hosts = HOSTS })).traceEvents
end

local function all(list, phase)
  local found = {}
  for _, entry in ipairs(list) do
    if entry.ph == phase then found[#found + 1] = entry end
  end
  return found
end

describe("a Perfetto file", function()
  it("names a process for each host", function()
    local names = {}
    for _, entry in ipairs(all(encode {}, "M")) do
      if entry.name == "process_name" then names[entry.pid] = entry.args.name end
    end
    assert.same({ [0] = "notes", "A", "server" }, names)
  end)

  it("has a call that waited as long as it did, and others as instants, in microseconds from the first", function()
    local list = encode {
      { at = 5.25, since = 5, kind = "receive", host = 1, socket = 3, bytes = 0, code = "TIMEOUT", label = "A" },
      { at = 5.5, kind = "send", host = 1, socket = 3, bytes = 8, label = "A" },
    }
    local waited, instant = all(list, "X")[1], all(list, "i")[1]
    assert.same({ "receive: TIMEOUT", 0, 250000, 1, 3 },
      { waited.name, waited.ts, waited.dur, waited.pid, waited.tid })
    assert.same({ "send", 500000, "A sends 8 bytes" }, { instant.name, instant.ts, instant.args.what })
  end)

  it("has queues as counters, and notes that go across", function()
    local list = encode {
      { at = 0, kind = "queue", host = 2, socket = 1, label = "server", depth = 1, limit = 5 },
      { at = 1, kind = "note", text = "Now." },
    }
    assert.same({ "queue of server", { depth = 1, limit = 5 } }, { all(list, "C")[1].name, all(list, "C")[1].args })
    assert.same({ "Now.", "g" }, { all(list, "i")[1].name, all(list, "i")[1].s })
  end)

  local function segment(fields)
    return merged({ kind = "segment", at = 0, arrived = 0.001, host = 1, to_host = 2, from = "10.0.0.1:4000",
      to = "10.0.0.2:7000", flags = "SYN", sequence = 0, bytes = 0 }, fields)
  end

  it("has segments as arrows from host to host", function()
    local list = encode { segment() }
    local from, to = all(list, "s")[1], all(list, "f")[1]
    assert.same({ 1, 0, 2, 1000, from.id }, { from.pid, from.ts, to.pid, to.ts, to.id })
    assert.equal(2, #all(list, "X"))
  end)

  it("has no arrow for one that was lost on the way", function()
    local made = segment { lost = "link" }
    made.arrived = nil
    local list = encode { made }
    assert.same({ 0, 0, 1, "link" }, { #all(list, "s"), #all(list, "f"), #all(list, "X"),
      all(list, "X")[1].args.lost })
  end)

  it("has the kernel's side", function()
    local list = encode {
      { at = 0, kind = "counters", host = 2, label = "server", moved = { ListenDrops = 1 } },
      { at = 0, kind = "sockets", host = 2, label = "server", changed = {} },
    }
    assert.same({ "counters", { ListenDrops = 1 }, "sockets" },
      { all(list, "i")[1].name, all(list, "i")[1].args, all(list, "i")[2].name })
  end)
end)
