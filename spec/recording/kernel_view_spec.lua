local kernel_view = require "lunet.recording.kernel_view"

local function counters(at, overflows)
  return { at = at, kind = "counters", host = 1,
    text = ("TcpExt: ListenOverflows ListenDrops\nTcpExt: %d 3\n"):format(overflows) }
end

local function sockets(at, lines) return { at = at, kind = "sockets", host = 1, text = table.concat(lines, "\n") } end

describe("the kernel's view", function()
  it("is what moved since the last look at the same host's counters", function()
    local seen = kernel_view.understand({ counters(1, 0), counters(2, 0), counters(3, 2) }, {}, {})
    assert.same({ { at = 3, kind = "counters", host = 1, moved = { ListenOverflows = 2 } } }, seen)
  end)

  it("goes on from what an earlier call saw", function()
    local before = {}
    assert.same({}, kernel_view.understand({ counters(1, 0) }, before, {}))
    assert.equal(4, kernel_view.understand({ counters(2, 4) }, before, {})[1].moved.ListenOverflows)
  end)

  it("is the sockets that changed, and those that went", function()
    local seen = kernel_view.understand({
      sockets(1, { "ESTABLISHED a:1 b:2 8 0 0 0", "LISTEN a:1 - 1 0 1 0" }), sockets(2, { "LISTEN a:1 - 1 0 1 0" }),
      sockets(3, { "LISTEN a:1 - 1 0 1 0" }) }, {}, {})
    assert.equal(2, #seen)
    assert.same({ { state = "LISTEN", local_address = "a:1", receive_queue = 1, send_queue = 0, owned = true,
      retransmits = 0 }, { state = "ESTABLISHED", local_address = "a:1", peer_address = "b:2", receive_queue = 8,
      send_queue = 0, owned = false, retransmits = 0 } }, seen[1].changed)
    assert.same({ { state = "gone", local_address = "a:1", peer_address = "b:2" } }, seen[2].changed)
  end)

  it("says when the kernel could not be asked", function()
    assert.same({ { at = 1, kind = "unseen", host = 2, what = "sockets", code = "EMFILE" } },
      kernel_view.understand({ { at = 1, kind = "sockets", host = 2, code = "EMFILE" } }, {}, {}))
  end)
end)
