-- The measurements of bench/laboratory, which see. Rounds of lunet and of ip(8) alternate, so that both find the
-- machine as busy as the other does.
local lunet = require "lunet"

local PAIR_ROUNDS, LAN_ROUNDS, LAN_HOSTS, CONNECTS = 30, 5, 100, 1000

local function timed(fn, ...)
  local started = lunet.now()
  local result = fn(...)
  return lunet.now() - started, result
end

local function quantile(values, share)
  table.sort(values)
  return values[math.max(1, math.ceil(#values * share))] * 1e3
end

-- -- by lunet --------------------------------------------------------------------------------

local function build_pair()
  local hosts = { assert(lunet.host "a"), assert(lunet.host "b") }
  lunet.link(hosts[1], hosts[2])
  return hosts
end

local function build_lan()
  local hosts = {}
  for i = 1, LAN_HOSTS do hosts[i] = assert(lunet.host("h" .. i)) end
  local lan = lunet.lan(hosts)
  hosts[#hosts + 1] = lan
  return hosts
end

local function close_all(things)
  for _, thing in ipairs(things) do thing:close() end
end

-- -- by ip -----------------------------------------------------------------------------------

local function new_host(name) return ("ip netns add %s; ip -n %s link set lo up"):format(name, name) end

-- Its addresses, and up. Like lunet's, one of IPv4 and one of IPv6.
local function interface(host, n)
  local add = ("ip -n %s address add"):format(host)
  return ("%s 10.128.%d.%d/16 dev eth0; %s fd00::%x/64 dev eth0 nodad; ip -n %s link set eth0 up"):format(
    add, n >> 8, n & 255, add, n, host)
end

local function script(lines) return "set -e\n" .. table.concat(lines, "\n") end

local PAIR = script {
  new_host "a", new_host "b",
  "ip link add eth0 netns a type veth peer name eth0 netns b",
  interface("a", 1), interface("b", 2),
}

local LAN = { new_host "switch", "ip -n switch link add br0 up type bridge" }
for i = 1, LAN_HOSTS do
  local name = "h" .. i
  table.move({
    new_host(name),
    ("ip link add eth0 netns %s type veth peer name port%d netns switch"):format(name, i),
    ("ip -n switch link set port%d master br0 up"):format(i),
    interface(name, i),
  }, 1, 4, #LAN + 1, LAN)
end
LAN = script(LAN)

local function shell(text) assert(os.execute(text)) end
local function delete_all() shell "ip -all netns delete" end

-- -- and the table ---------------------------------------------------------------------------

-- Before each the kernel takes down what was before, which would hold up both.
local function compare(what, rounds, pause, build, text)
  local ours, theirs = {}, {}
  for i = 1, rounds do
    local built
    lunet.sleep(pause)
    ours[i], built = timed(build)
    close_all(built)
    lunet.sleep(pause)
    theirs[i] = timed(shell, text)
    delete_all()
  end
  for _, row in ipairs { { "median", 0.5 }, { "least", 0 } } do
    local name, share = row[1], row[2]
    local a, b = quantile(ours, share), quantile(theirs, share)
    print(("%-24s %-6s %9.2f ms %9.2f ms  %5.1f times less"):format(what, name, a, b, b / a))
  end
end

local function first_connect()
  local hosts = build_pair()
  local listener = assert(hosts[1]:listen { backlog = 1 })
  local seconds = timed(function() return assert(hosts[2]:connect(listener, 10)) end)
  close_all(hosts)
  return seconds
end

local function connects()
  local times, slow = {}, 0
  for i = 1, CONNECTS do
    times[i] = first_connect()
    if times[i] > 0.05 then slow = slow + 1 end
  end
  print(("%d first connects, ms: median %.3f, 90 %% %.3f, 99 %% %.3f, slowest %.3f; over 50 ms: %d"):format(
    CONNECTS, quantile(times, 0.5), quantile(times, 0.9), quantile(times, 0.99), quantile(times, 1), slow))
end

local function load_average()
  local file <close> = assert(io.open "/proc/loadavg")
  return file:read "a":match "^%S+"
end

print(("load %s at the start"):format(load_average()))
print(("%-31s %12s %12s"):format("", "lunet", "ip"))
close_all(build_pair()) -- the first opens what all of them use
compare("two hosts and their link", PAIR_ROUNDS, 0.2, build_pair, PAIR)
compare("100 hosts on one LAN", LAN_ROUNDS, 2, build_lan, LAN)
connects()
