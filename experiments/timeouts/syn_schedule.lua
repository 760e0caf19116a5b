-- Claim. With linear timeouts a client sends six SYNs in place of three to a server without a place, and gives up at
-- the same moment. A place that becomes free after four seconds is found by such a client alone.
--
-- Why. A SYN that nobody answers is sent again after a second. Until Linux 6.4 each further timeout is twice as long
-- (RFC 6298, 5.5). Since Linux 6.5 (commit ccce324dabfe) the first 1 + net.ipv4.tcp_syn_linear_timeouts of them take a
-- second each. Only then they double (net/ipv4/tcp_timer.c, tcp_retransmit_timer). The default is 4. The end has not
-- moved: a connect ends at the first timeout from 2 ^ (tcp_syn_retries + 1) - 1 s on (tcp_write_timeout). For 2 retries
-- that is 7 s. The default of 6 retries gives 11 SYNs and 131 s, where 7 SYNs and 127 s were before.
--
-- Where it was met. Upgraded clients connect through a full queue or a lossy link after 2, 4 or 5 s, where it took 3 or
-- 7 s. Servers and firewalls count more SYNs from the same clients, and alarms on ListenOverflows
-- or on a "SYN flood" come sooner.
--
-- What to do. Count waiting clients, not SYNs. Give clients a connect timeout of their own: the kernel's end is the
-- same as before. For the old schedule set tcp_syn_linear_timeouts to 0 on the clients.
local lunet = require "lunet"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local features = require "lunet.network.features"
local lab = require "lunet.lab"
local lateness = require "lunet.run.lateness"
local statistics = require "lunet.load.statistics"
local syn_schedule = require "lunet.network.syn_schedule"

local HAS_LINEAR <const> = features.has_sysctl "net.ipv4.tcp_syn_linear_timeouts"
local SLOW <const> = 0.1 -- s; how much too long, besides the kernel's and the machine's lateness

-- frees: whether a place becomes free meanwhile.
local function cases_of(knobs)
  local cases = {}
  for _, linear in ipairs { 0, knobs.linear } do
    for _, frees in ipairs { false, true } do cases[#cases + 1] = { linear = linear, frees = frees } end
  end
  return cases
end

local function prepare(case, knobs)
  local server, clients = lab.hosts { "server", "others" }
  local client = assert(lunet.host { name = "linear " .. case.linear, sysctl = {
    ["net.ipv4.tcp_syn_retries"] = knobs.retries,
    ["net.ipv4.tcp_syn_linear_timeouts"] = HAS_LINEAR and case.linear or nil,
  } })
  lunet.link(server, client)
  local listener = lab.listen(server, { backlog = 0 })
  local held = knobs.full and lab.fill_queue(clients, listener) or {}
  return { listener = listener, held = held, client = client, capture = assert(client:capture()) }
end

-- When each SYN left, in seconds after the first one.
local function syns_of(capture)
  local times = {}
  for _, segment in ipairs(capture:segments()) do
    if segment.flags == "SYN" and segment.direction == "out" then times[#times + 1] = segment.at end
  end
  for i = #times, 1, -1 do times[i] = statistics.round(times[i] - times[1], 3) end
  return times
end

local function measure(place, case, knobs)
  local began, freed = lunet.now(), "never"
  local target = { place.listener, label = "linear " .. case.linear }
  local connecting = lunet.spawn(place.client.connect, place.client, target, 10 * lab.LONG)
  if case.frees then
    lab.sleep_until(began + knobs.freed_after)
    assert(place.listener:accept(lab.LONG))
    freed = statistics.round(lunet.now() - began, 3)
  end
  local _, connection, _, code = connecting:join()
  local seconds = lunet.now() - began
  local syns = syns_of(place.capture)
  return { linear = case.linear, freed = freed, syns = #syns, at = syns, result = connection and "connected" or code,
    seconds = statistics.round(seconds, 3) }
end

-- -- the check ---------------------------------------------------------------------------------

local function check_time(what, seconds, due, late)
  lateness.between(what, seconds, due, lateness.TIMER * due + SLOW, late)
end

-- The number of the SYN that meets the free place. The kernel's lateness may put one on either side of that moment.
local function first_after(due, freed, name)
  for i, time in ipairs(due) do
    if time > freed then return i end
    if lateness.TIMER * time + SLOW >= freed then
      experiment.not_judged("%s: the machine was late to free a place: the SYN of %g s may have met it", name, time)
    end
  end
  return #due + 1
end

-- linear: how many timeouts the kernel has that are linear.
local function check_row(row, case, knobs, linear, late)
  local due, gives_up = syn_schedule.of { retries = knobs.retries, linear = linear }
  local name = ("linear %d"):format(case.linear)
  expect.value(name .. ": freed", row.freed ~= "never", case.frees)
  local count, ending, result = #due, gives_up, "ETIMEDOUT"
  if case.frees then
    lateness.between(name .. ": the place was free", row.freed, knobs.freed_after, knobs.freed_after + SLOW, late)
    local answered = first_after(due, row.freed, name)
    if due[answered] then count, ending, result = answered, due[answered], "connected" end
  end
  expect.fields(name, row, { result = result, syns = count })
  expect.value(name .. ": times of SYNs", #row.at, count)
  for i, at in ipairs(row.at) do check_time(("%s: SYN %d went out"):format(name, i), at, due[i], late) end
  check_time(name .. ": ended", row.seconds, ending, late)
end

local function check_rows(outcome, knobs, has_linear)
  local cases = cases_of(knobs)
  expect.cases("rows", outcome.rows, cases, { "linear" })
  for i, row in ipairs(outcome.rows) do
    check_row(row, cases[i], knobs, has_linear and cases[i].linear or 0, outcome.lateness)
  end
end

return experiment {
  claim = "With linear timeouts a client sends six SYNs in place of three to a server without a place, and gives up "
    .. "at the same moment. A place that becomes free after four seconds is found by such a client alone.",
  knobs = {
    linear = { 4, "timeouts", "tcp_syn_linear_timeouts of the client that has some", min = 1, max = 10 },
    retries = { 2, "doublings", "tcp_syn_retries", min = 1, max = 6 },
    freed_after = { 4.75, "s", "when a place becomes free, where one does", min = 0, max = 200 },
    full = { true, "", "whether the queue is full when the client comes" },
  },
  control = { full = false },
  -- Each row is a client of a queue without a place. linear: its setting. freed: when a place became free. at: when its
  -- SYNs went out. result, after seconds: what its connect gave.
  columns = { "linear", "freed", "syns", "at", "result", "seconds" },
  expects = { {
    before = "6.5",
    because = "each timeout of a SYN is twice as long as the one before (commit ccce324dabfe)",
    check = function(outcome, knobs) check_rows(outcome, knobs, false) end,
  } },

  run = function(knobs)
    lunet.note "Four clients find a full queue: two with linear timeouts; for one of each two a place becomes free."
    local rows, late = lab.measure(cases_of(knobs), function(case) return prepare(case, knobs) end,
      function(place, case) return measure(place, case, knobs) end)
    return { rows = rows, lateness = late }
  end,

  check = function(outcome, knobs) check_rows(outcome, knobs, true) end,

  figures = function(outcome)
    local words = {}
    for i, row in ipairs(outcome.rows) do
      words[i] = ("%s%d SYNs, %s after %.1f s"):format(row.freed ~= "never" and "with a late place " or "", row.syns,
        row.result, row.seconds)
    end
    return table.concat(words, "; ")
  end,
}
