local merged = require "spec.support.merged"
local sentences = require "lunet.queues.sentences"

local function queue(more)
  local entry = { address = "0.0.0.0:8080", port = 8080, program = "redis", pid = 7, depth = 9, limit = 20, drops = 0,
    left_by_fin = 0, left_by_reset = 0, oldest_seconds = 31.4, sockets = 1, mptcp = false }
  return merged(entry, more)
end

local function without(entry, ...)
  for _, name in ipairs { ... } do entry[name] = nil end
  return entry
end

local function of(listeners, clients) return sentences.of({ listeners = listeners, clients = clients or {} }, true) end

describe("sentences", function()
  it("say nothing of an empty queue", function()
    assert.same({}, of { without(queue { depth = 0 }, "oldest_seconds") })
  end)

  it("say who has gone, how, and since when", function()
    assert.same({ "7 of 9 clients in the queue of :8080 (redis) have gone (5 by FIN, 2 by RST); the server may carry "
      .. "out their requests when it accepts them (redis does: see the field guide); the oldest waits 31 s." },
      of { queue { left_by_fin = 5, left_by_reset = 2 } })
    assert.same({ "1 of 1 client in the queue of unix:/x has gone (1 by FIN); the server may carry out its request "
      .. "when it accepts it (redis does: see the field guide)." },
      of { without(queue { address = "unix:/x", depth = 1, left_by_fin = 1 }, "port", "program", "oldest_seconds") })
  end)

  it("say that it is the least if a part is unknown", function()
    local told = of { without(queue { left_by_fin = 5 }, "left_by_reset") }
    assert.matches("^At least 5 of 9 clients", told[1])
    assert.equal("The queue of :8080 (redis) changed at every look: how many in it have left by RST is unknown.",
      told[2])
    told = of { without(queue { mptcp = true, left_by_reset = 1 }, "left_by_fin") }
    assert.matches("^At least 1 of 9", told[1])
    assert.equal(":8080 (redis) listens by MPTCP: only root sees which of its clients have sent a FIN.", told[2])
  end)

  it("say that nobody accepts, that a queue is full, and what was dropped", function()
    assert.same({ "9 clients in the queue of :8080 (redis): nobody accepts them; the oldest waits 31 s.",
      "The queue of :8080 (redis) is full: its limit is 8 (net.core.somaxconn). The kernel drops the SYNs of new "
      .. "clients. It has dropped 3 handshakes for it so far." },
      of { queue { limit = 8, at_somaxconn = true, drops = 3 } })
    local member = { address = "0.0.0.0:8080", depth = 3, limit = 2, drops = 1 }
    assert.matches("is full: its limit is 2. The kernel drops the SYNs of new clients. It has dropped 1 handshake for",
      of({ queue { sockets = 2, members = { member, { depth = 0, limit = 9 } } } })[2])
  end)

  it("say which clients wait, the longest first, and how many more there are", function()
    local clients = {}
    for i = 1, 7 do
      clients[i] = { address = ("10.0.0.%d:80"):format(i), port = 80, waiting = 1, queued = 0,
        oldest_seconds = i - 0.9 }
    end
    clients[7].program, clients[7].pid, clients[7].waiting, clients[7].queued = "curl", 5, 4, 3
    local told = of({}, clients)
    assert.equal("4 connections of curl (5) wait for an answer of 10.0.0.7:80 (3 of them in its queue), the oldest "
      .. "since 6 s.", told[1])
    assert.equal("1 connection waits for an answer of 10.0.0.6:80, the oldest since 5 s.", told[2])
    assert.same({ 6, "So do connections to 1 more addresses (--json has them)." }, { #told, told[6] })
  end)

  it("say what root would see, to anybody else", function()
    local listeners = { without(queue { depth = 0 }, "program", "oldest_seconds") }
    assert.same({ "Root would also see the programs of other users." },
      sentences.of({ listeners = listeners, clients = {} }, false))
    assert.same({}, of(listeners))
  end)
end)
