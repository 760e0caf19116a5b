-- The parts that all peers in Lua share, under any interpreter: everything except the loop.
local round = { MESSAGE = ("x"):rep(64) }

function round.argument(index)
  return assert(math.tointeger(tonumber(arg[index])), "argument " .. index .. " is a whole number")
end

-- os.clock is clock(3): the processor's time.
function round.start(now) return { wall = now(), cpu = os.clock(), now = now } end

function round.finish(started)
  return { wall = started.now() - started.wall, cpu = os.clock() - started.cpu }
end

function round.print_rate(amount, took)
  print(('{"rate": %.1f, "cpu_rate": %.1f}'):format(amount / took.wall, amount / took.cpu))
end

local function quantile(sorted, share) return sorted[math.max(1, math.ceil(#sorted * share))] end

function round.print_latencies(seconds, took)
  table.sort(seconds)
  print(('{"rate": %.1f, "cpu_rate": %.1f, "median_us": %.3f, "p99_us": %.3f}'):format(#seconds / took.wall,
    #seconds / took.cpu, quantile(seconds, 0.5) * 1e6, quantile(seconds, 0.99) * 1e6))
end

function round.print_ghosts(count, fill, drain)
  print(('{"fill": %.1f, "cpu_fill": %.1f, "drain": %.1f, "cpu_drain": %.1f}'):format(count / fill.wall,
    count / fill.cpu, count / drain.wall, count / drain.cpu))
end

-- How long before the first is due they are armed, in seconds: all of them, on a slow machine, too.
round.LEAD = 4

-- So many due times within one second, out of order: 7919 and the count have no common divisor.
function round.due(base, i, count) return base + i * 7919 % count / count end

-- A table for what is measured: if it grew meanwhile, Lua would move it for up to 18 ms.
function round.zeros(count)
  local zeros = {}
  for i = 1, count do zeros[i] = 0 end
  return zeros
end

function round.print_late(late)
  local sum, early = 0, 0
  for i, seconds in ipairs(late) do
    if seconds < 0 then early = early + 1 end
    late[i] = math.max(seconds, 0)
    sum = sum + late[i]
  end
  table.sort(late)
  print(('{"late_us": %.2f, "late_p99_us": %.2f, "early": %d}'):format(sum / #late * 1e6,
    quantile(late, 0.99) * 1e6, early))
end

function round.resident_bytes()
  collectgarbage()
  collectgarbage()
  local file <close> = assert(io.open "/proc/self/statm")
  return file:read "a":match "^%d+ (%d+)" * 4096
end

return round
