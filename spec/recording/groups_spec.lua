local groups = require "lunet.recording.groups"

local function call(at, host, near, far)
  return { kind = "send", at = at, host = host, local_address = near, peer_address = far }
end

local function kinds(group)
  local list = {}
  for i, e in ipairs(group.events) do list[i] = e.text or e.host end
  return list
end

describe("groups", function()
  it("are of hosts that exchanged segments", function()
    local events = {
      { kind = "segment", at = 1, host = 2, to_host = 3, from = "10.0.0.2:1", to = "10.0.0.1:7" },
      { kind = "segment", at = 2, host = 4, to_host = 5, from = "10.0.1.2:1", to = "10.0.1.1:7", arrived = 9 },
      { kind = "segment", at = 3, host = 3, from = "10.0.0.1:7", to = "10.0.0.2:1" },
    }
    local list = groups.of(events, { [3] = "third" })
    assert.equal(2, #list)
    assert.same({ events[1], events[3] }, list[1].events)
    assert.equal("third", list[1].lines[2])
    assert.same({ 2, 9 }, { list[2].first, list[2].last })
  end)

  it("are of hosts that have a connection, without segments", function()
    local list = groups.of({ call(1, 2, "10.0.0.2:1", "10.0.0.1:7"), call(2, 3, "10.0.0.1:7", "10.0.0.2:1"),
      call(3, 4, "127.0.0.1:1", "127.0.0.1:7"), call(4, 5, "127.0.0.1:7", "127.0.0.1:1") }, {})
    assert.equal(3, #list)
    assert.same({ 2, 3 }, kinds(list[1]))
  end)

  it("have the notes that are said in their midst, or just before", function()
    local function note(at, words) return { kind = "note", at = at, text = words } end
    local list = groups.of({ note(0, "first"), call(1, 2, "10.0.0.2:1"), note(2, "within"), call(3, 2, "10.0.0.2:1"),
      note(4, "second"), call(5, 3, "10.0.1.2:1"), note(6, "last") }, {})
    assert.same({ "first", 2, "within", 2 }, kinds(list[1]))
    assert.same({ "second", 3 }, kinds(list[2]))
  end)

  it("keep all notes if there is one, or none", function()
    local alone = { { kind = "note", at = 0, text = "a" }, { kind = "note", at = 1, text = "b" } }
    assert.same({ "a", "b" }, kinds(groups.of(alone, {})[1]))
    local one = groups.of({ call(1, 2, "10.0.0.2:1"), { kind = "note", at = 6, text = "late" } }, {})
    assert.same({ 2, "late" }, kinds(one[1]))
    assert.same({}, groups.of({}, {}))
  end)
end)
