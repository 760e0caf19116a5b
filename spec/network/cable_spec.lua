local core = require "lunet.core"
local lunet = require "lunet"

local BOUND <const> = require "spec.support.bound"
local SHORT <const> = 0.02 -- s; for what does not come

local a, b, link, listener

before_each(function()
  a, b = assert(lunet.host "a"), assert(lunet.host "b")
  link = lunet.link(a, b, { delay = 0 })
  listener = assert(b:listen { backlog = 8, address = link:address(b) })
end)

after_each(function()
  a:close()
  b:close()
  assert.same({}, lunet.open_handles())
end)

local function carriers() return { core.link_is_up(a, "eth0"), core.link_is_up(b, "eth0") } end

-- Whether a connection is made, though not at once.
local function connects(timeout)
  local connection, _, code = a:connect(listener, timeout)
  if connection then connection:reset() end
  return connection and true or code
end

local function wait_for_carriers(first, second)
  assert(lunet.eventually(function()
    local now = carriers()
    return now[1] == first and now[2] == second
  end, BOUND))
end

describe("a cut cable", function()
  it("takes the carrier from both hosts; their addresses and connections stay", function()
    local near = assert(a:connect(listener, BOUND))
    local far = assert(listener:accept(BOUND))
    assert(link:cut())
    wait_for_carriers(false, false)
    assert.equal("TIMEOUT", connects(SHORT))
    assert(near:send "late") -- it waits for the cable
    assert.equal("TIMEOUT", (select(3, far:receive(1, SHORT))))
    assert.equal("ESTABLISHED", near:state())
    assert(link:mend())
    assert.same({ true, true }, carriers())
    assert.equal("late", far:receive(4, BOUND))
    assert.is_true(connects(BOUND))
  end)

  it("comes back with both families", function()
    assert(link:cut())
    wait_for_carriers(false, false)
    assert(link:mend())
    local over_ipv6 <close> = assert(b:listen { backlog = 8, address = assert(link:address(b, "ipv6")) })
    assert(a:connect(over_ipv6, BOUND)):reset()
  end)

  it("swallows everything if it is cut silently, the resolution of addresses too, and tells it", function()
    local first = core.record(false)
    assert(link:cut { silently = true })
    assert.equal("TIMEOUT", connects(SHORT))
    assert.same({ true, true }, carriers())
    assert(lunet.eventually(function() return link:statistics().a_to_b.taken > 0 end, BOUND))
    local neighbours = assert(core.read_file(a, "/proc/thread-self/net/arp"))
    assert.matches(link:address(b) .. " +0x1 +0x0 +00:00:00:00:00:00", neighbours) -- nobody answered
    local causes = {}
    for _, e in ipairs((core.events(first))) do
      if e.kind == "loss" then causes[e.cause] = true end
    end
    assert.same({ cut = true }, causes)
    assert(link:mend())
    assert.is_true(connects(BOUND))
  end)

  it("swallows one way only, if asked", function()
    assert.is_true(connects(BOUND)) -- the addresses are known now
    assert(link:cut { silently = true, direction = "b_to_a" })
    local before = listener:queue().depth
    assert.equal("TIMEOUT", connects(SHORT))
    assert(lunet.eventually(function() return link:statistics().b_to_a.taken > 0 end, BOUND))
    assert.equal(0, link:statistics().a_to_b.taken)
    assert.equal(before, listener:queue().depth) -- the SYN-ACK never arrived
  end)

  it("can be out at one host: only that one has no carrier", function()
    assert(link:unplug(b))
    wait_for_carriers(true, false)
    assert.equal("TIMEOUT", connects(SHORT))
    assert(link:plug(b))
    assert.same({ true, true }, carriers())
    assert(link:unplug(a))
    wait_for_carriers(false, true)
    assert(link:mend())
    assert.is_true(connects(BOUND))
  end)

  it("stays silently cut when a host's cable is back", function()
    assert(link:cut { silently = true })
    assert(link:unplug(a))
    assert(link:plug(a))
    assert.same({ true, true }, carriers())
    assert.equal("TIMEOUT", connects(SHORT))
  end)

  it("can be at one port of a LAN", function()
    local c <close> = assert(lunet.host "c")
    local lan <close> = lunet.lan({ a, b, c }, { delay = 0 })
    local on_lan <close> = assert(b:listen { backlog = 8, address = lan:address(b) })
    assert(lan:unplug(c))
    assert.equal("TIMEOUT", (select(3, c:connect(on_lan, SHORT))))
    assert(a:connect(on_lan, BOUND)):reset()
    assert(lan:mend())
    assert(c:connect(on_lan, BOUND)):reset()
    assert(lan:cut { silently = true, direction = "from_host" })
    assert.equal("TIMEOUT", (select(3, a:connect(on_lan, SHORT))))
    assert(lan:mend())
    assert(a:connect(on_lan, BOUND)):reset()
  end)

  it("is refused where it makes no sense", function()
    local c <close> = assert(lunet.host "c")
    assert.error_matches(function() link:cut { direction = "a_to_b" } end, "cut: direction: only a silent cut has one")
    assert.error_matches(function() link:cut { silently = 1 } end, "cut: silently: true or false expected, not 1")
    assert.error_matches(function() link:cut { silently = true, direction = "up" } end,
      "cut: direction: a_to_b or b_to_a expected")
    assert.error_matches(function() link:unplug(c) end, "unplug: a host of the link of a and b expected")
    assert.error_matches(function() link:plug(7) end, "plug: a host of the link of a and b expected, not 7")
    link:close()
    for _, call in ipairs { "cut", "mend" } do assert.equal("CLOSED", (select(3, link[call](link)))) end
    for _, call in ipairs { "unplug", "plug" } do assert.equal("CLOSED", (select(3, link[call](link, b)))) end
  end)
end)
