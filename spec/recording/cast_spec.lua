local cast = require "lunet.recording.cast"
local lunet = require "lunet"
local told = require "spec.support.told"

local BOUND <const> = require "spec.support.bound"

local function two_hosts()
  local server, client = assert(lunet.host "server"), assert(lunet.host "client")
  return server, client, lunet.link(server, client)
end

local function find(events, kind)
  for _, e in ipairs(events) do
    if e.kind == kind then return e end
  end
end

describe("the name of a host", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- "? -> ?: SYN", and "cannot connect" without to where; the connect event had the local address 0.0.0.0.
  for family, text in pairs { ipv4 = "%s:4000", ipv6 = "[%s]:4000" } do
    it("is known where nobody listens: a refused connect, by " .. family, function()
      local target
      local run, sentences = told(function()
        local server, client, net = two_hosts()
        target = text:format(net:address(server, family))
        assert.equal("ECONNREFUSED", (select(3, client:connect(target, BOUND))))
      end)
      assert.same({ "client -> server: SYN", "server -> client: RST",
        ("client cannot connect to %s (ECONNREFUSED)"):format(target), "client closes its socket" }, sentences)
      assert.equal(find(run.events, "segment").from, find(run.events, "connect").local_address)
    end)
  end

  it("is known beside a listener: the refused connect by its port, the silent one by its listener", function()
    local _, sentences = told(function()
      local server, client, net = two_hosts()
      local listener <close> = assert(server:listen { port = 7300, backlog = 1 })
      assert.equal("ECONNREFUSED", (select(3, client:connect({ address = net:address(server), port = 4000 }, BOUND))))
      local _rule <close> = assert(server:drop { flags = "SYN" })
      assert.equal("TIMEOUT", (select(3, client:connect(listener, 0.02))))
    end)
    assert.same({ "server listens, backlog 1", "client -> server: SYN", "server -> client: RST",
      "client cannot connect to server port 4000 (ECONNREFUSED)", "client closes its socket" },
      table.move(sentences, 1, 5, 1, {}))
    assert.equal("client gives up connecting to server: no answer (TIMEOUT)", sentences[8])
  end)

  it("is an address where nobody has it", function()
    local _, sentences = told(function()
      local _, client = two_hosts()
      assert.equal("ENETUNREACH", (select(3, client:connect("203.0.113.1:80", BOUND))))
    end)
    assert.equal("client cannot connect to 203.0.113.1:80 (ENETUNREACH)", sentences[1])
  end)

  it("is known of a refused connect from a given address", function()
    local run = told(function()
      local server, client, net = two_hosts()
      local from = net:address(client) .. ":4001"
      assert.equal("ECONNREFUSED",
        (select(3, client:connect({ address = net:address(server), port = 4000, from = from }, BOUND))))
    end)
    assert.equal(find(run.events, "segment").from, find(run.events, "connect").local_address)
  end)

  it("is known of an IPv4 client of a listener on ::", function()
    local _, sentences = told(function()
      local server, client, net = two_hosts()
      local listener <close> = assert(server:listen { address = "::", port = 7300, backlog = 1, label = "shop" })
      local target = { address = net:address(server), port = 7300, label = "Ada" }
      local _near <close> = assert(client:connect(target, BOUND))
      local far <close> = assert(listener:accept(BOUND))
      assert(far:send "hello\n")
    end)
    local text = table.concat(sentences, "\n")
    assert.match("Ada connects to shop: success", text)
    assert.match("shop accepts Ada's connection", text)
    assert.match("shop sends 6 bytes to Ada", text)
    assert.match("Ada %-> shop: SYN\n", text)
  end)

  it("is known of segments where no call is: by the listener's host, and by the client's", function()
    local _, sentences = told(function()
      local server, client, net = two_hosts()
      local listener <close> = assert(server:listen { port = 7300, backlog = 1 })
      local command = ("exec 3<>/dev/tcp/%s/7300"):format(net:address(server))
      local bash <close> = assert(client:exec { "bash", "-c", command })
      bash:wait(BOUND)
      assert(listener:accept(BOUND)):close()
    end)
    local text = table.concat(sentences, "\n")
    assert.match("\nclient %-> server: SYN\nserver %-> client: SYN%-ACK\n", text)
    assert.match("\nserver accepts client's connection", text)
  end)

  it("is right for hosts that listen on the same port", function()
    local who = cast.of({
      { kind = "listen", at = 0, socket = 1, host = 1, label = "one", local_port = 80, local_address = "0.0.0.0:80" },
      { kind = "listen", at = 0, socket = 2, host = 2, label = "two", local_port = 80, local_address = "0.0.0.0:80" },
    }, { addresses = { ["10.0.0.1"] = 1, ["10.0.1.1"] = 2 } })
    assert.same({ "one", "two" }, { who:at("10.0.0.1:80", "10.0.0.2:9"), who:at("10.0.1.1:80", "10.0.0.2:9") })
  end)

  it("is shown without control characters", function()
    local who = cast.of({ { kind = "connect", at = 0, socket = 1, host = 1, label = "a\27[31m\n\xff",
      local_address = "10.0.0.1:1", peer_address = "10.0.0.2:2" } }, { hosts = { [2] = "b\7" } })
    assert.same({ [[a\x1b[31m\n\xff]], [[b\x07]] }, { who:at("10.0.0.1:1", "10.0.0.2:2"), who:host(2) })
  end)
end)

-- "SYN-ACK again" was told of one that was sent once.
describe("a simultaneous open", function()
  local function again(run)
    local flags = {}
    for _, e in ipairs(run.events) do
      if e.kind == "segment" and e.flags:find "SYN" then flags[#flags + 1] = e.flags .. (e.again and " again" or "") end
    end
    table.sort(flags)
    return flags
  end

  it("of a connection with itself has one SYN and one SYN-ACK", function()
    local run, sentences = told(function()
      local h = assert(lunet.host "h")
      local c <close> = assert(h:connect({ address = "127.0.0.1", port = 4000, from = "127.0.0.1:4000" }, BOUND))
      assert.equal(c:address(), c:peer())
    end)
    assert.same({ "SYN", "SYN,ACK" }, again(run))
    assert.equal("h -> itself: SYN-ACK", sentences[2])
  end)

  -- b loses a's SYN, and connects itself: a answers b's SYN as one that waits for an answer of its own.
  it("of two hosts has one SYN-ACK of whoever was first", function()
    local run = told(function()
      local a, b = assert(lunet.host "a"), assert(lunet.host "b")
      local net = lunet.link(a, b)
      local on_a, on_b = net:address(a) .. ":4000", net:address(b) .. ":4000"
      local rule <close> = assert(b:drop { flags = "SYN" })
      local first = lunet.spawn(function() assert(a:connect({ on_b, from = on_a }, BOUND)):close() end)
      assert(lunet.eventually(function() return rule:lost() > 0 end, BOUND))
      local second <close> = assert(b:connect({ on_a, from = on_b }, BOUND))
      assert(first:join(BOUND))
      assert.equal(on_a, second:peer())
    end)
    local answers = {}
    for _, flags in ipairs(again(run)) do
      if flags:find "SYN,ACK" then answers[#answers + 1] = flags end
    end
    assert.same({ "SYN,ACK" }, answers)
  end)
end)
