-- Measures how exact the delay of a link is: compares round trips with twice the delay.
--
--   script/build release && build/release/lunet bench/wire.lua [ROUND TRIPS [DELAY]]
--
-- Prints for each delay by how many microseconds a round trip took longer than 2 x delay. The script measures messages
-- and connects. The client's kernel measures handshakes (tcpi_rtt), without the script's own time.
--
-- "bulk" is 10 MiB on a new connection, which TCP's slow start bounds. Ten segments of 1448 bytes, doubled each round
-- trip, are 10 MiB after 9.5 round trips: 190 ms at a delay of 10 ms. "stream" is the second half of 400 MiB with
-- windows of up to 16 MiB. It shows the cost of forwarding, beside a plain veth.
local lunet = require "lunet"

local COUNT = tonumber(arg[1]) or 1000
local DELAYS = arg[2] and { tonumber(arg[2]) } or { 0.001, 0.010, 0.050 } -- s
local BULK = 10 * 1024 * 1024 -- bytes
local MESSAGE = ("x"):rep(64)
local LIMIT = 0.3e-3 -- s

local function echo(connection)
  while true do
    local data = connection:receive(#MESSAGE)
    if not data then break end
    connection:send(data)
  end
end

local function quantile(sorted, share)
  return sorted[math.max(1, math.ceil(#sorted * share))] * 1e6
end

local function show(what, delay, excess)
  table.sort(excess)
  local within = 0
  for _, seconds in ipairs(excess) do
    if seconds >= 0 and seconds <= LIMIT then within = within + 1 end
  end
  local line = "%-10s %3.0f ms  min %6.1f  median %6.1f  90%% %6.1f  99%% %6.1f  max %8.1f us  within 0.3 ms: %.1f %%"
  local values = {}
  for i, share in ipairs { 0, 0.5, 0.9, 0.99, 1 } do values[i] = quantile(excess, share) end
  values[#values + 1] = 100 * within / #excess
  print(line:format(what, delay * 1e3, table.unpack(values)))
end

local function measure(delay, round_trip, after)
  local excess = {}
  for i = 1, COUNT do
    local started = lunet.now()
    local result = round_trip()
    excess[i] = lunet.now() - started - 2 * delay
    if after then after(result) end
  end
  return excess
end

local function pair(delay)
  local client, server = assert(lunet.host "client"), assert(lunet.host "server")
  local link = lunet.link(client, server, { delay = delay })
  return client, assert(server:listen { backlog = 1024 }), link
end

local function ping(delay)
  lunet.scope(function()
    local client, listener, link = pair(delay)
    local server = lunet.spawn(function() listener:serve(echo) end)
    local connection = assert(client:connect({ listener, nodelay = true }))
    show("ping-pong", delay, measure(delay, function()
      assert(connection:send(MESSAGE))
      assert(connection:receive(#MESSAGE))
    end))
    local statistics = link:statistics()
    print(("           one way: late by %.1f us, at most %.1f us; %d frames, %d dropped"):format(
      statistics.late_mean * 1e6, statistics.late_max * 1e6, statistics.forwarded, statistics.dropped))
    connection:close()
    server:cancel()
    listener:close()
  end)
end

local function connect(delay)
  lunet.scope(function()
    local client, listener = pair(delay)
    local handshakes = {}
    show("connect", delay, measure(delay, function()
      return assert(client:connect(listener))
    end, function(connection)
      handshakes[#handshakes + 1] = connection:info().tcpi_rtt * 1e-6 - 2 * delay
      connection:reset()
      listener:accept():reset()
    end))
    show("handshake", delay, handshakes)
  end)
end

local function bulk(delay)
  lunet.scope(function()
    local client, listener, link = pair(delay)
    local connection = assert(client:connect(listener))
    local accepted = assert(listener:accept())
    local data, started = ("lunet..."):rep(BULK // 8), lunet.now()
    lunet.spawn(function()
      assert(connection:send(data))
      connection:shutdown()
    end)
    assert(accepted:receive "a" == data, "the data came back different")
    local seconds = lunet.now() - started
    print(("bulk       %3.0f ms  10 MiB in %.1f ms: %.0f MiB/s; %d frames dropped"):format(
      delay * 1e3, seconds * 1e3, BULK / seconds / 2 ^ 20, link:statistics().dropped))
  end)
end

local WINDOW = "4096 131072 33554432"
local PIECE, PIECES = ("lunet..."):rep(1 << 17), 400 -- 1 MiB

-- The rate of the second half. No delay: a plain veth.
local function stream(delay)
  lunet.scope(function()
    local sysctl = { ["net.ipv4.tcp_rmem"] = WINDOW, ["net.ipv4.tcp_wmem"] = WINDOW }
    local client = assert(lunet.host { name = "client", sysctl = sysctl })
    local server = assert(lunet.host { name = "server", sysctl = sysctl })
    lunet.link(client, server, delay and { delay = delay } or nil)
    local listener = assert(server:listen { backlog = 1 })
    local connection = assert(client:connect(listener))
    local accepted = assert(listener:accept())
    lunet.spawn(function()
      for _ = 1, PIECES do assert(connection:send(PIECE)) end
      connection:shutdown()
    end)
    local half, received, began, spent = PIECES * #PIECE // 2, 0, nil, nil
    for data in function() return accepted:receive() end do
      received = received + #data
      if not began and received >= half then began, spent, half = lunet.now(), os.clock(), received end
    end
    local mib = (received - half) / 2 ^ 20
    print(("stream     %s  %.0f MiB/s; %.2f ms of processor time a MiB"):format(
      delay and ("%3.0f ms"):format(delay * 1e3) or "  veth", mib / (lunet.now() - began),
      1e3 * (os.clock() - spent) / mib))
  end)
end

for _, delay in ipairs(DELAYS) do
  ping(delay)
  connect(delay)
  bulk(delay)
  stream(delay)
end
stream()
