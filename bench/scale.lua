-- How lunet grows: ghosts in one queue, clients that stay, sleeping tasks, hosts, events in a trace file, and churn for
-- minutes. Prints tables and plots.
--
--   script/build release && build/release/lunet bench/scale.lua [PART...] [--minutes N]
local argparse = require "argparse"
local core = require "lunet.core"
local json = require "lunet.text.json"
local lunet = require "lunet"
local plot = require "lunet.text.plot"
local statistics = require "lunet.load.statistics"

-- Every ghost keeps a port of its client's. An address has 64,512 of them here; yet when every second one is taken, the
-- kernel looks at about 30,000 for each connect. So the clients have several addresses.
local ADDRESSES = 32
local GHOSTS = { 1000, 4000, 16000, 64000, 125000, 250000 }
local LIVE = { 1000, 4000, 16000, 32000, 64000 }
local OF_A_PROCESS = 16000 -- connections that a process keeps open: 20,000 descriptors are allowed here
local LONG = 120 -- s; bounds waits for states that do come
local SLEEPERS = { 1000, 10000, 100000, 200000, 500000, 1000000 }
local EVENTS = 10000000 -- in a trace file
local HOSTS, OF_A_LAN = { 250, 500, 1000, 2000 }, 500
local SYSCTLS = {
  ["net.ipv4.tcp_congestion_control"] = "reno",
  ["net.core.somaxconn"] = 250000,
  ["net.ipv4.ip_local_port_range"] = "1024 65535",
  ["net.ipv4.tcp_max_tw_buckets"] = 1000000, -- a client without a place there meets its own ghost by the next SYN
}
local MESSAGE = ("x"):rep(64)
local ROUNDS = 3 -- of each number of ghosts; the median counts
local CLIENTS, SAMPLES = 16, 60 -- of the soak

local function resident()
  collectgarbage()
  collectgarbage()
  local file <close> = assert(io.open "/proc/self/statm")
  return file:read "a":match "^%d+ (%d+)" * 4096
end

local function timed(fn, ...)
  local started = lunet.now()
  fn(...)
  return lunet.now() - started
end

local function show(given) print(("\n%s\n"):format(plot.line(given))) end

-- -- ghosts ------------------------------------------------------------------------------------

local function fill(host, listener, count)
  for i = 1, count do
    local connection = assert(host:connect { listener, from = "127.0.0." .. 2 + i % ADDRESSES })
    assert(connection:send(MESSAGE))
    connection:close()
  end
  assert(listener:queue().depth == count)
end

local function drain(listener, count)
  for _ = 1, count do
    local ghost = assert(listener:accept())
    assert(#ghost:receive "a" == #MESSAGE)
    ghost:close()
  end
  assert(listener:queue().depth == 0)
end

-- Rates of one queue, on a host of its own: no port of a run before is taken any more.
local function fill_and_drain(count)
  local host <close> = assert(lunet.host { name = "ghosts", sysctl = SYSCTLS })
  local listener <close> = assert(host:listen { address = "127.0.0.1", backlog = count })
  return count / timed(fill, host, listener, count), count / timed(drain, listener, count)
end

-- The same by a program in C: what it loses with longer queues is the kernel's. Only the release build has it.
local IN_C = arg[-1]:match "^(.*/)[^/]*$" .. "bench/epoll-try-first/ghosts"

local function fill_and_drain_in_c(count)
  local host <close> = assert(lunet.host { name = "ghosts", sysctl = SYSCTLS })
  local process <close> = assert(host:exec { IN_C, tostring(count), tostring(ADDRESSES) })
  local rates = assert(json.decode(process.stdout:receive("a", LONG)))
  return rates.fill, rates.drain
end

-- The medians of both rates of each, round by round in turn.
local function measure_ghosts(count, measures)
  local rates = {}
  for i = 1, 2 * #measures do rates[i] = {} end
  for round = 1, ROUNDS do
    for i, measure in ipairs(measures) do
      rates[2 * i - 1][round], rates[2 * i][round] = measure(count)
      lunet.sleep(0.2) -- the kernel takes the host down
    end
  end
  for i, of_rounds in ipairs(rates) do rates[i] = statistics.quantile(of_rounds, 0.5) end
  return rates
end

local function ghosts()
  local file <close> = io.open(IN_C)
  local measures = { fill_and_drain, file and fill_and_drain_in_c }
  local fills, drains = {}, {}
  print(("%10s %12s %12s"):format("ghosts", "filled/s", "drained/s") .. (file and "   C: filled/s    drained/s" or ""))
  for i, count in ipairs(GHOSTS) do
    local rates = measure_ghosts(count, measures)
    fills[i], drains[i] = rates[1], rates[2]
    print(("%10d"):format(count) .. (" %12.0f"):rep(#rates):format(table.unpack(rates)))
  end
  show { x = GHOSTS, series = { ["filled a second"] = fills, ["drained a second"] = drains },
    xlabel = "ghosts in the queue", xscale = "log" }
end

-- -- live ones ---------------------------------------------------------------------------------

-- A process of its own connects so often, says when it has, and keeps all of them until its input ends.
local STAYER = [[
local lunet, kept = require "lunet", {}
for i = 1, %d do
  kept[i] = assert(lunet.connect { address = "%s", port = 7000 })
  assert(kept[i]:send(("x"):rep(64)))
end
io.write "connected\n"
io.flush()
io.read "a"
os.exit(true)]]

local function connect_all(hosts, address, per_process)
  local processes = {}
  for i, host in ipairs(hosts) do
    processes[i] = assert(host:exec { arg[-1], "-e", STAYER:format(per_process, address), stdin = "pipe" })
  end
  for _, process in ipairs(processes) do assert(process.stdout:receive("l", LONG) == "connected") end
  return processes
end

-- Each process has a host, and so ports, of its own.
local function fill_and_drain_live(count)
  local server <close> = assert(lunet.host { name = "server", sysctl = SYSCTLS })
  local processes, hosts = math.max(1, count // OF_A_PROCESS), {}
  local members = { server }
  for i = 1, processes do
    hosts[i] = assert(lunet.host { name = "clients", sysctl = SYSCTLS })
    members[i + 1] = hosts[i]
  end
  local lan = lunet.lan(members)
  local listener <close> = assert(server:listen { port = 7000, backlog = count })
  local connected
  local fill_time = timed(function()
    connected = connect_all(hosts, lan:address(server), count // processes)
  end)
  assert(listener:queue().depth == count)
  local drain_time = timed(function()
    for _ = 1, count do
      local connection = assert(listener:accept())
      assert(connection:receive(#MESSAGE))
      connection:close()
    end
  end)
  assert(listener:queue().depth == 0)
  for i, process in ipairs(connected) do
    process.stdin:close()
    assert(process:wait(LONG))
    hosts[i]:close()
  end
  return count / fill_time, count / drain_time, processes
end

local function live()
  local fills, drains = {}, {}
  print(("%10s %10s %12s %12s"):format("live", "processes", "filled/s", "drained/s"))
  for i, count in ipairs(LIVE) do
    local processes
    fills[i], drains[i], processes = fill_and_drain_live(count)
    print(("%10d %10d %12.0f %12.0f"):format(count, processes, fills[i], drains[i]))
  end
  show { x = LIVE, series = { ["filled a second"] = fills, ["drained a second"] = drains },
    xlabel = "clients that stay", xscale = "log" }
end

-- -- sleepers ----------------------------------------------------------------------------------

-- So many tasks sleep, to wake within one second after they all do.
local function measure_sleepers(count)
  local before, late = resident(), {}
  local lead = 1 + count / 50000
  local base = lunet.now() + lead
  local bytes, spawned
  lunet.scope(function()
    spawned = timed(function()
      for i = 1, count do
        lunet.spawn(function()
          local due = base + i * 7919 % count / count
          lunet.sleep(math.max(0, due - lunet.now()))
          late[#late + 1] = lunet.now() - due
        end)
      end
      lunet.sleep(0) -- they begin
    end)
    bytes = resident() - before
  end)
  table.sort(late)
  assert(late[1] >= 0, "a task woke early")
  return spawned / count * 1e6, bytes / count, statistics.mean(late) * 1e6, late[math.ceil(count * 0.99)] * 1e6
end

local function sleepers()
  local bytes, means = {}, {}
  print(("%10s %14s %14s %14s %14s"):format("tasks", "begun in, us", "bytes a task", "late, mean us", "late, 99 % us"))
  for i, count in ipairs(SLEEPERS) do
    local spawned, late
    spawned, bytes[i], means[i], late = measure_sleepers(count)
    print(("%10d %14.2f %14.0f %14.1f %14.1f"):format(count, spawned, bytes[i], means[i], late))
  end
  show { x = SLEEPERS, y = bytes, xlabel = "sleeping tasks", ylabel = "bytes a task", xscale = "log" }
  show { x = SLEEPERS, y = means, xlabel = "sleeping tasks", ylabel = "mean lateness, us", xscale = "log" }
end

-- -- hosts -------------------------------------------------------------------------------------

-- The bytes that are left on the whole machine: most of a host's memory is the kernel's.
local function available()
  for line in io.lines "/proc/meminfo" do
    local kib = line:match "^MemAvailable: +(%d+)"
    if kib then return kib * 1024 end
  end
end

-- All of a LAN's hosts connect to the first one, and stay.
local function connect_members(members, lan)
  local listener = assert(members[1]:listen { port = 7000, backlog = #members })
  for i = 2, #members do
    local target = { address = lan:address(members[1]), port = 7000 }
    local connection, message = members[i]:connect(target, LONG)
    if not connection then return i - 2, message end
  end
  return listener:queue().depth
end

local function hosts()
  local made, started, own, all = {}, lunet.now(), resident(), available()
  local _all <close> = setmetatable({}, { __close = function()
    for _, host in ipairs(made) do host:close() end
  end })
  print(("%10s %12s %14s %14s"):format("hosts", "ms a host", "own KiB each", "all KiB each"))
  for _, count in ipairs(HOSTS) do
    while #made < count do made[#made + 1] = assert(lunet.host("host " .. #made + 1)) end
    print(("%10d %12.2f %14.1f %14.1f"):format(count, (lunet.now() - started) / count * 1e3,
      (resident() - own) / count / 1024, (all - available()) / count / 1024))
  end
  local members, lan = table.move(made, 1, OF_A_LAN, 1, {}), nil
  local joined = timed(function() lan = lunet.lan(members) end)
  local connected, message
  local took = timed(function() connected, message = connect_members(members, lan) end)
  print(("a LAN of %d: %.2f s; %d of %d connects to one of them: %.2f s%s"):format(OF_A_LAN, joined, connected,
    OF_A_LAN - 1, took, message and "; then " .. message or ""))
end

-- -- trace -------------------------------------------------------------------------------------

local function count_lines(path)
  local lines = 0
  for block in io.lines(path, 1 << 20) do lines = lines + select(2, block:gsub("\n", "")) end
  return lines
end

local function note(count)
  for _ = 1, count do lunet.note "an event" end
end

-- Each message is two events.
local function talk(count)
  local listener <close> = assert(lunet.listen { address = "127.0.0.1", port = 7000, backlog = 1 })
  local near <close> = assert(lunet.connect(listener))
  local far <close> = assert(listener:accept())
  for _ = 1, count // 2 do
    assert(near:send(MESSAGE))
    assert(far:receive(#MESSAGE))
  end
end

-- Has a journal write the events of a function to a file, and counts its lines. The seconds are those until the last
-- event is written.
local function write_trace(fn)
  local path <const> = os.tmpname()
  local _removal <close> = setmetatable({}, { __close = function() os.remove(path) end })
  local seconds = timed(function()
    local journal <close> = assert(core.journal(path, core.record(false), 0))
    fn(EVENTS)
    assert(journal:write())
  end)
  return seconds, count_lines(path)
end

local function trace()
  print(("%10s %12s %12s %14s %12s"):format("events", "lines", "seconds", "lines/s", "own KiB"))
  for _, kind in ipairs { { "notes", note }, { "calls", talk } } do
    local before = resident()
    local seconds, lines = write_trace(kind[2])
    assert(lines >= EVENTS, "lines are missing")
    print(("%10s %12d %12.2f %14.0f %12.0f"):format(kind[1], lines, seconds, lines / seconds,
      (resident() - before) / 1024))
  end
end

-- -- soak --------------------------------------------------------------------------------------

local function echo(connection)
  for data in function() return (connection:receive()) end do connection:send(data) end
end

local function cycle(host, listener)
  local connection <close> = assert(host:connect(listener))
  assert(connection:send(MESSAGE))
  assert(connection:receive(#MESSAGE))
end

-- Churn until the deadline; calls back for every sample.
local function churn(seconds, on_sample)
  local host <close> = assert(lunet.host { name = "soak", sysctl = SYSCTLS })
  local listener <close> = assert(host:listen { address = "127.0.0.1", backlog = 1024 })
  local _server <close> = lunet.spawn(function() listener:serve(echo) end)
  local cycles = 0
  local finish = lunet.now() + seconds
  local tasks = {}
  for i = 1, CLIENTS do
    tasks[i] = lunet.spawn(function()
      while lunet.now() < finish do
        cycle(host, listener)
        cycles = cycles + 1
      end
    end)
  end
  for _ = 1, SAMPLES do
    lunet.sleep(seconds / SAMPLES)
    on_sample(cycles)
  end
  for _, task in ipairs(tasks) do task:join() end
end

local function soak(minutes)
  local started, times, memory, rates, before = lunet.now(), {}, {}, {}, 0
  churn(minutes * 60, function(cycles)
    times[#times + 1] = lunet.now() - started
    memory[#memory + 1] = resident() / 1024
    rates[#rates + 1] = (cycles - before) / (minutes * 60 / SAMPLES)
    before = cycles
  end)
  print(("%d cycles in %g minutes; resident after a sixth of them %d KiB, at the end %d KiB; handles left: %d"):format(
    before, minutes, memory[SAMPLES // 6], memory[SAMPLES], #lunet.open_handles()))
  show { x = times, y = memory, xlabel = "seconds", ylabel = "resident KiB", height = 9 }
  show { x = times, y = rates, xlabel = "seconds", ylabel = "cycles a second", height = 9 }
end

-- -- the command -------------------------------------------------------------------------------

local parser = argparse("bench/scale.lua", "How lunet grows.")
local PARTS = { "ghosts", "live", "sleepers", "hosts", "trace", "soak" }
parser:argument("part", table.concat(PARTS, ", ") .. "; all of them by default"):args "*":choices(PARTS)
parser:option("--minutes", "of the soak", "10"):convert(tonumber)
parser:flag("--tiny", "do next to no work: only to see whether everything works")
local options = parser:parse(arg)
if options.tiny then
  GHOSTS, LIVE, SLEEPERS, HOSTS, OF_A_LAN, ROUNDS = { 5, 10 }, { 5, 10 }, { 5, 10 }, { 3, 4 }, 3, 1
  options.minutes, EVENTS = 0.01, 100
end
local parts = #options.part > 0 and options.part or PARTS
for _, part in ipairs(parts) do
  if part == "ghosts" then ghosts() end
  if part == "live" then live() end
  if part == "sleepers" then sleepers() end
  if part == "hosts" then hosts() end
  if part == "trace" then trace() end
  if part == "soak" then soak(options.minutes) end
end
