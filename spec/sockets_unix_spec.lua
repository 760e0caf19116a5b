-- Unix listeners in lists of sockets, and the drops of a TCP listener.
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"

local BOUND <const> = require "spec.support.bound"

after_each(function()
  assert.same({}, lunet.open_handles())
end)

local function unix(host, filter)
  local found = {}
  for _, socket in ipairs(assert(host:sockets(filter))) do
    if socket.family == "unix" then found[#found + 1] = socket end
  end
  return found
end

describe("a list of sockets", function()
  it("has Unix listeners with their queues", function()
    local host <close> = assert(lunet.host "server")
    local place <close> = scratch.open()
    local address = "unix:" .. place.path .. "/socket"
    local listener <close> = assert(host:listen { address = address, backlog = 3 })
    local _client <close> = assert(host:connect({ address = address }, BOUND))
    local found = unix(host)
    local inode = found[1] and found[1].inode
    assert.is_true(math.type(inode) == "integer" and inode > 0)
    assert.same({ { state = "LISTEN", family = "unix", local_address = address, queue = { depth = 1, limit = 3 },
      fin = false, owned = true, retransmits = 0, inode = inode } }, found)
    local queue = assert(listener:queue())
    assert.same({ depth = 1, limit = 3 }, queue)
  end)

  it("has those of programs, and abstract ones, and only of its host", function()
    local host <close> = assert(lunet.host "server")
    local other <close> = assert(lunet.host "other")
    local listening = "assert(require 'lunet'.listen { address = 'unix:@lunet', backlog = 7 }) "
      .. "print 'up' io.flush() io.read()"
    local process <close> = assert(host:exec { os.getenv "LUNET", "-e", listening, stdin = "pipe" })
    assert.equal("up", process.stdout:receive("l", BOUND))
    local found = unix(host)
    assert.same({ 1, "unix:@lunet", 7 }, { #found, found[1].local_address, found[1].queue.limit })
    assert.same({}, unix(other))
  end)

  it("has none if the filter is for what only TCP sockets have, or for other states", function()
    local host <close> = assert(lunet.host "server")
    local _unix <close> = assert(host:listen { address = "unix:@lunet", backlog = 3 })
    local tcp <close> = assert(host:listen { backlog = 3 })
    assert.equal(1, #unix(host, { state = "LISTEN" }))
    assert.equal(1, #unix(host, { owned = true }))
    assert.equal(1, #unix(host, { info = true }))
    for _, filter in ipairs { { port = 80 }, { local_port = 80 }, { peer_port = 80 }, { owned = false },
      { listener = tcp }, { peer_address = "10.0.0.1:80" }, { state = "ESTABLISHED" } } do
      assert.same({}, unix(host, filter))
    end
  end)
end)

describe("the drops of a listener", function()
  it("are its own, and those that its host counts", function()
    local host <close> = assert(lunet.host "server")
    local full <close> = assert(host:listen { backlog = 0 })
    local idle <close> = assert(host:listen { backlog = 0 })
    local before = assert(host:counters())
    local _client <close> = assert(host:connect(full, BOUND))
    assert.equal("TIMEOUT", (select(3, host:connect(full, 0.05))))
    local drops = assert(full:queue()).drops
    assert.is_true(drops > 0)
    assert.equal((assert(host:counters()) - before).ListenDrops, drops)
    assert.equal(0, assert(idle:queue()).drops)
    local listed = {}
    for _, socket in ipairs(assert(host:sockets { state = "LISTEN" })) do
      listed[socket.local_port] = socket.queue.drops
    end
    local _, full_port = full:address()
    local _, idle_port = idle:address()
    assert.same({ [full_port] = drops, [idle_port] = 0 }, listed)
  end)
end)
