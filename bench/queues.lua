-- The processor's time of `lunet queues` beside `ss -tanmi`, on a host with 20,000 sockets: connections of one
-- listener, half of them queued, half of those ghosts. Both print into /dev/null. Then what a watch costs a server:
-- connections a second, with ten looks a second and without. Rounds alternate.
--
--   script/build release && build/release/lunet bench/queues.lua [rounds]
local lunet = require "lunet"
local statistics = require "lunet.load.statistics"

local ROUNDS <const> = math.tointeger(tonumber(arg[1] or 9))
local CLIENTS <const>, QUEUED <const> = 11500, 5500
local ADDRESSES <const> = 8 -- of the clients: one has too few free ports
local LOOKS <const> = 10
local LONG <const> = 120 -- s; bounds waits for what does come
local LUNET <const> = arg[-1]

local function fill(host)
  local listener = assert(host:listen { address = "127.0.0.1", port = 700, backlog = CLIENTS })
  local clients, accepted = {}, {}
  for i = 1, CLIENTS do
    clients[i] = assert(host:connect({ listener, from = "127.0.0." .. 2 + i % ADDRESSES }, LONG))
    assert(clients[i]:send "request\n")
  end
  for i = 1, CLIENTS - QUEUED do accepted[i] = assert(listener:accept(LONG)) end
  for i = CLIENTS - QUEUED + 1, CLIENTS, 4 do
    clients[i]:close()
    clients[i + 1]:reset()
  end
  return clients, accepted
end

-- Milliseconds of the processor, in user and kernel mode, that a shell's children took.
local function spent(host, command)
  local process <close> = assert(host:exec { "bash", "-c", command .. " >/dev/null; times" })
  local printed = assert(process.stdout:receive("a", LONG))
  local minutes, seconds, more_minutes, more_seconds = printed:match "\n(%d+)m([%d.]+)s (%d+)m([%d.]+)s"
  return 1e3 * (60 * (minutes + more_minutes) + seconds + more_seconds)
end

local function watch_of(looks) return ("%s queues --watch 0.1 --looks %d --json"):format(LUNET, looks) end

-- -- a server beside a watch ------------------------------------------------------------------

local SECONDS <const> = 2 -- of each round
local SERVER <const> = [[
local lunet = require "lunet"
local listener = assert(lunet.listen { address = "127.0.0.1", port = 7300, backlog = 100 })
print "up" io.flush()
while true do listener:accept():close() end]]
local CLIENTS_OF <const> = [[
local lunet = require "lunet"
local function connect_again_and_again()
  while true do
    local client <close> = assert(lunet.connect "127.0.0.1:7300")
    client:receive()
  end
end
lunet.scope(function() for _ = 1, 8 do lunet.spawn(connect_again_and_again) end end)]]

local function connections_a_second(host)
  local before, began = assert(host:counters()).PassiveOpens, lunet.now()
  lunet.sleep(SECONDS)
  return (assert(host:counters()).PassiveOpens - before) / (lunet.now() - began)
end

local function measure_beside()
  local host <close> = assert(lunet.host "served")
  local server <close> = assert(host:exec { LUNET, "-e", SERVER, label = "server" })
  assert(server.stdout:receive("l", LONG) == "up")
  local _clients <close> = assert(host:exec { LUNET, "-e", CLIENTS_OF })
  local alone, watched, ratio = {}, {}, {}
  connections_a_second(host) -- they begin
  for round = 1, ROUNDS do
    alone[round] = connections_a_second(host)
    local _watch <close> = assert(host:exec { LUNET, "queues", "--watch", "0.1", stdout = "null" })
    watched[round] = connections_a_second(host)
    ratio[round] = watched[round] / alone[round]
  end
  return alone, watched, ratio
end

-- -- the figures ------------------------------------------------------------------------------

local host <close> = assert(lunet.host { name = "busy", sysctl = { ["net.core.somaxconn"] = CLIENTS,
  ["net.ipv4.ip_local_port_range"] = "1024 65535" } })
local _clients, _accepted = fill(host)
local once, look, ss, ratio = {}, {}, {}, {}
for round = 1, ROUNDS do
  once[round] = spent(host, LUNET .. " queues --json")
  ss[round] = spent(host, "ss -tanmi")
  look[round] = (spent(host, watch_of(1 + LOOKS)) - spent(host, watch_of(1))) / LOOKS
  ratio[round] = look[round] / ss[round]
end
local function median(list) return statistics.quantile(list, 0.5) end
print(("%d sockets, %d rounds, medians in ms of the processor"):format(#assert(host:sockets()), ROUNDS))
print(("lunet queues, the whole program, once   %7.1f"):format(median(once)))
print(("lunet queues --watch, each further look %7.1f"):format(median(look)))
print(("ss -tanmi                               %7.1f"):format(median(ss)))
print(("a look, as a part of ss -tanmi          %7.2f"):format(median(ratio)))
host:close()
local alone, watched, part = measure_beside()
print(("connections a second, alone             %7.0f"):format(median(alone)))
print(("beside lunet queues --watch 0.1         %7.0f"):format(median(watched)))
print(("a part of those alone                   %7.2f"):format(median(part)))
