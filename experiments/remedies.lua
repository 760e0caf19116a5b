-- What helps against requests whose clients gave up, what does it cost, and what does its naive version get wrong?
--
-- Scenario (stale_replay with more clients): A is served; one patient client and three others queue; the three give
-- up; one comes that sends, shuts down its side and waits, which is legitimate; A leaves; one of the three comes again;
-- then five come at once. stale: requests carried out for nobody. again: how often that one's request was carried out.
-- trips: extra round trips of a client and of a half-closing one, on a link with a delay. Overload: an open loop at 1.5
-- of capacity, with the method of retry_storm. Of it goodput (% of capacity), stale (% of what was carried out), half
-- (% of the half-closing ones answered), waits (ms; given up counts as long as its client waited, at least its
-- patience), tries per request, held: most descriptors open. With `delay` all of it is on a link that has one.
--
-- Why: the queue keeps a request whose client has left (net/ipv4/tcp_input.c, tcp_fin: the socket stays in the queue),
-- and FIN does not tell leaving from half-closing (RFC 9293, 3.6). To ask whether the client is there ends stale work,
-- and yet goodput stays near none: first come, first served in overload means that whoever is next has waited for
-- nearly its patience, is still there, and leaves while it is served. So what counts is not who is there, but who will
-- be: the age or the deadline of the request, with room for its service; the newest first; or a queue so short that
-- its end is reached in time. Retries make it worse, but without them (retry_budget) a long queue collapses as well.
--
--   remedy            what it takes, what it costs            the naive version gets wrong
--   accept_early      server: accept, read, watch for FIN,    only reads: carries out all, without bound on
--                     probe; descriptors (bounded by room)    descriptors
--   check_liveness    server: after FIN, send something and   takes FIN for gone: drops half-closing clients; takes a
--                     wait for ACK or RST: a round trip,      send that succeeds for there: the first one always does
--                     an interim reply in the protocol
--   client_reset      client: leave by RST; server: look.     server does not look: recv(2) returns what came before
--                     A crash sends FIN, a firewall nothing;  the RST (net/ipv4/tcp.c, tcp_recvmsg_locked)
--                     the entry keeps its place in the queue
--   greet_first       client sends when greeted: one more     client does not wait for the greeting
--                     round trip, in which nobody is served
--   request_age       server: tcpi_last_data_recv; guesses    no margin for its own work: answers too late; measured
--                     the patience: drops patient clients     from accept: nothing ever is old
--   request_deadline  client says how long it still waits;    counts that from accept; says a time of a wall clock
--                     server subtracts the kernel's age       that differs (here by 60 s)
--   short_backlog     backlog + 2 < patience / service; who   backlog 0: a burst that could be served meets a full
--                     finds no room waits for its SYN (1 s)   queue. Neither looks at requests: what queues is stale
--   close_when_busy   clients come again; a race resets who   without SO_REUSEADDR its port is taken by TIME_WAIT
--                     connects between accept and close
--   refuse_when_busy  a reply "busy", then shutdown and read  at once again: the server is idle between tries; reset:
--                     on; clients come again after a pause    clients cannot know whether they were served
--   lifo              server: accept all, newest first, drop  keeps all: the old stay, hold descriptors, and are
--                     those too old; unfair on purpose        carried out when it is quiet again
--   request_id        an id that a retry repeats; server      an id for each attempt. Also the right one carries out
--                     remembers replies; once, not never      for nobody: it makes that harmless, not rare
--   cancel            client: a second connection on leaving  to the same port: it queues behind its request
--   retry_budget      clients share one: no remedy for a      a limit for each request: twice the load remains
--                     queue, but 1.1 tries instead of 3
--   newest_in_time    request_deadline and lifo together: the best here. Short queue and request_id go with it
--
-- Where a remedy neither clearly passes nor clearly fails it is shown and not judged: the goodput of the two that
-- refuse, and how many of a burst they serve; and the goodput with FIN taken for gone, which is 19 to 98 % by the seed.
-- Of five seeds (`--seeds 5`) the others differ by at most 15 % of capacity.
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local overload = require "lunet.overload"
local plot = require "lunet.plot"
local remedies = require "lunet.remedy"
local statistics = require "lunet.statistics"
local trial = require "lunet.trial"
local workload = require "lunet.workload"

local median, values_of, round = overload.median, overload.values, statistics.round

local LONG = 10 -- s; bounds waits for states that do come
local BACKLOG = 60 -- where a remedy says no other
local LEAVERS, BURST = 3, 5 -- clients in the scenario that give up; that come at once
local EVERY = 4 -- each so many-th client of the overload half-closes
local AT_ONCE, AT_ONCE_DELAYED = 24, 12 -- runs side by side; with a delay, frames take the thread's time as well
local TRIP = 0.1 -- s; delay of the link on which round trips are counted
local RETRY = 0.01 -- s; pause of a client of the scenario that was refused

local function title(remedy) return remedy.naive and remedy.name .. ", " .. remedy.naive or remedy.name end

-- What the check demands to be so and not to be so. only: where a naive version is run, if it does as `none` elsewhere.
-- without_delay: what is not judged over a link with a delay, where handshakes at once pass the queue's limit and those
-- that find no place are reset (see phantom_connect).
local ALL = "stale again patient half burst trips goodput"
local CLAIMS = {
  ["none"] = { "patient half burst trips", "stale again goodput" },
  ["accept_early"] = { "stale again patient half burst held", "trips goodput" },
  ["accept_early, no watch"] = { "", "stale held goodput" },
  ["check_liveness"] = { "stale again patient half burst", "trips goodput" },
  ["check_liveness, FIN is gone"] = { "stale", "half" },
  ["check_liveness, first send"] = { "", "stale", only = "scenario" },
  ["client_reset"] = { "stale again patient half burst trips", "goodput" },
  ["client_reset, no check"] = { "", "stale", only = "scenario" },
  ["greet_first"] = { "stale again patient half", "trips goodput" },
  ["greet_first, no wait"] = { "", "stale", only = "scenario" },
  ["request_age"] = { "stale again half burst trips goodput", "patient" },
  ["request_age, no margin"] = { "", "goodput", only = "overload" },
  ["request_age, from accept"] = { "", "stale", only = "scenario" },
  ["request_deadline"] = { ALL, "" },
  ["request_deadline, from accept"] = { "", "stale", only = "scenario" },
  ["request_deadline, wall clock"] = { "", "stale patient half" },
  ["short_backlog"] = { "patient half burst trips goodput", "stale", without_delay = "goodput" },
  ["short_backlog, backlog 0"] = { "", "burst", without_delay = "burst" },
  ["close_when_busy"] = { "stale trips", "burst" },
  ["close_when_busy, no reuse"] = { "", "burst goodput" },
  ["refuse_when_busy"] = { "stale again patient half trips", "burst" },
  ["refuse_when_busy, no backoff"] = { "", "", only = "overload" },
  ["refuse_when_busy, reset"] = { "", "patient half", only = "scenario" },
  ["lifo"] = { "stale again half burst trips goodput held", "patient" },
  ["lifo, keeps all"] = { "", "stale held" },
  ["request_id"] = { "again patient half burst trips", "stale goodput" },
  ["request_id, new id"] = { "", "again", only = "scenario" },
  ["cancel"] = { "stale again patient half burst trips", "goodput" },
  ["cancel, same port"] = { "", "stale", only = "scenario" },
  ["retry_budget"] = { "patient half burst trips tries", "stale goodput" },
  ["retry_budget, per request"] = { "", "tries goodput", only = "overload" },
  ["newest_in_time"] = { ALL .. " held", "" },
}

local function select(list, predicate)
  local selected = {}
  for _, item in ipairs(list) do
    if predicate(item) then selected[#selected + 1] = item end
  end
  return selected
end

local function count(list, predicate) return #select(list, predicate) end

local function is_right(remedy) return not remedy.naive end

-- Those that are tried in one part, the scenario or the overload.
local function tried_in(part, knobs)
  return select(remedies, function(remedy)
    local is_asked = knobs.remedy == "all" or remedy.name == "none" or remedy.name == knobs.remedy
    local only = CLAIMS[title(remedy)].only
    return is_asked and (only or part) == part
  end)
end

local function open_trial(remedy, knobs)
  return trial.open(remedy, { patience = knobs.patience, service = knobs.service, delay = knobs.delay,
    backlog = BACKLOG })
end

-- -- clients of the scenario -------------------------------------------------------------------

local function wait_for(predicate) assert(lunet.eventually(predicate, LONG)) end

-- A quarter of the overload's service: what is served in time here is so by far.
local function new_request(site, number, fields)
  local request = { number = number, service = site.service / 4, jitter = {}, attempts = 0 }
  for name, value in pairs(fields or {}) do request[name] = value end
  return request
end

local REFUSED = { ECONNREFUSED = true, BUSY = true }
local ENDS = { ECONNRESET = "reset", EPIPE = "reset", EOF = "dropped", TIMEOUT = "timeout" }

-- A client with time: one that was refused knows that nothing was carried out, and comes again.
local function insist(site, request)
  local clients = site:new_clients(LONG, 0)
  repeat
    if clients:send(request) then return "served" end
    if not REFUSED[request.code] then return ENDS[request.code] or request.code end
    lunet.sleep(RETRY)
  until site.ends and lunet.now() > site.ends
  return "refused"
end

-- Everything that these clients sent is with the server's kernel.
local function have_left(site, requests)
  local here = {}
  for _, socket in ipairs(site.host:sockets { state = "ESTABLISHED", local_port = site.target.port }) do
    here[socket.peer_address] = true
  end
  return count(requests, function(request) return here[request.address] end) == 0
end

-- It waits for the server, was refused, or its SYN found the queue full.
local function has_come(site, request, before)
  if request.code or site.host:counters().ListenOverflows > before then return true end
  if not request.connection then return false end
  if not request.half_closes or site.remedy.waits then return true end
  return request.connection:state() == "FIN_WAIT2"
end

local function arrive(site, request)
  local before = site.host:counters().ListenOverflows
  local task = lunet.spawn(insist, site, request)
  wait_for(function() return has_come(site, request, before) end)
  return task
end

local function result_of(task)
  local _, result = task:join()
  return result
end

local function is_answered(request) return request.answered end

local function burst(site)
  local requests, clients = {}, site:new_clients(site.patience, 0)
  for i = 1, BURST do requests[i] = new_request(site, 10 + i) end
  lunet.together(requests, function(request) clients:send(request) end)
  return count(requests, is_answered)
end

-- -- the scenario ------------------------------------------------------------------------------

local function run_scenario(case, site)
  site:start()
  local a = new_request(site, 0, { hold = true })
  lunet.spawn(insist, site, a)
  wait_for(function() return a.is_served end)

  local patient = arrive(site, new_request(site, 2))
  local leavers, clients = {}, site:new_clients(site.patience, 0)
  for i = 1, LEAVERS do leavers[i] = new_request(site, 2 * i + 1) end
  lunet.together(leavers, function(leaver) clients:send(leaver) end)
  wait_for(function() return have_left(site, leavers) end)
  local half = arrive(site, new_request(site, 4, { half_closes = true }))

  a.may_leave, site.ends = true, lunet.now() + 1
  insist(site, leavers[1]) -- its user tries once more
  local run = { remedy = case.remedy.name, naive = case.remedy.naive or "-", patient = result_of(patient),
    half = result_of(half) }
  wait_for(function() return site.server.held == 0 end)
  run.burst = burst(site)
  site:stop()
  run.stale = count(site.executed, function(one) return one.stale end)
  run.again = count(site.executed, function(one) return one.number == leavers[1].number end)
  return run
end

-- How many round trips a client that waits in the queue needs from when the server begins to serve up to the reply,
-- but for the half of one that the reply takes.
local function count_trips(case, site)
  local request = new_request(site, 1, { half_closes = case.half_closes, service = 0 })
  local task = lunet.spawn(insist, site, request)
  wait_for(function()
    if site.server.listener:queue().depth == 0 then return false end
    local socket = site.host:sockets({ listener = site.server.listener })[1]
    return site.remedy.waits or socket and socket.receive_queue > 0 and socket.fin == case.half_closes
  end)
  local began = lunet.now()
  site:start()
  assert(result_of(task) == "served", title(case.remedy) .. ": a client alone was not served")
  local seconds = lunet.now() - began
  site:stop()
  return { trips = math.floor(seconds / (2 * TRIP)) }
end

-- What holds up the machine can only add to them: the least of two counts.
local function add_trips(cases)
  local counts = {}
  for _, case in ipairs(select(cases, function(case) return is_right(case.remedy) end)) do
    counts[#counts + 1] = { remedy = case.remedy, half_closes = false, record = case.run, field = "trips" }
    counts[#counts + 1] = { remedy = case.remedy, half_closes = true, record = case.run, field = "trips_half" }
  end
  for _ = 1, 2 do
    overload.run(counts, {
      run = count_trips,
      open = function(one)
        return trial.open(one.remedy, { patience = 2, service = 0.01, delay = TRIP, backlog = BACKLOG })
      end,
    })
    for _, one in ipairs(counts) do
      one.record[one.field] = math.min(one.record[one.field] or math.huge, one.run.trips)
    end
    counts = select(counts, function(one) return one.run.trips > 0 end)
  end
end

local function run_scenarios(knobs)
  local cases, records = {}, {}
  for i, remedy in ipairs(tried_in("scenario", knobs)) do cases[i] = { remedy = remedy } end
  overload.run(cases, {
    at_once = knobs.delay > 0 and AT_ONCE_DELAYED or nil, run = run_scenario,
    open = function(case) return open_trial(case.remedy, knobs) end,
  })
  add_trips(cases)
  for i, case in ipairs(cases) do records[i] = case.run end
  return records
end

-- -- the overload ------------------------------------------------------------------------------

local function share(list, predicate) return #list > 0 and count(list, predicate) / #list or 0 end

-- Requests given up count up to when their client gave up, and no less than its patience.
local function waits_of(requests, patience)
  local waits = {}
  for i, request in ipairs(requests) do
    local ended = request.answered or request.gave_up
    waits[i] = request.answered and ended - request.at or math.max(patience, ended - request.at)
  end
  return waits
end

local function run_overload(case, site, knobs, capacity)
  local from, to = knobs.warm_up, knobs.seconds
  local longest = (knobs.retries + 1) * knobs.patience
  local requests = workload.requests { seed = case.seed, rate = knobs.load * capacity, seconds = to + longest,
    service = knobs.service }
  local clients = site:new_clients(knobs.patience, knobs.retries)
  site:start()
  local began = lunet.now()
  lunet.spawn(function()
    lunet.sleep(to + longest)
    site:stop()
  end)
  local lateness = workload.offer(requests, function(request)
    request.half_closes = request.number % EVERY == 0
    clients:send(request)
  end, began)

  local measured = select(requests, function(request) return request.at >= from and request.at < to end)
  local executed = select(site.executed, function(one) return one.at >= began + from and one.at < began + to end)
  local waits, summary = waits_of(measured, knobs.patience), workload.summary(requests, from, to)
  local late = statistics.quantile(lateness, 0.99) or 0
  return {
    goodput = statistics.count_between(workload.answers(requests), from, to) / (to - from) / capacity,
    stale = share(executed, function(one) return one.stale end),
    half = share(select(measured, function(request) return request.half_closes end), is_answered),
    p50 = statistics.quantile(waits, 0.5) or 0, p99 = statistics.quantile(waits, 0.99) or 0,
    tries = summary.attempts / math.max(summary.offered, 1), held = site.server.most_held, lateness = late,
    valid = late <= knobs.lateness * knobs.service,
  }
end

-- Medians of the seeds that count; of several, goodput also the least and the most.
local function overload_record(point)
  local goodputs, has_several = values_of(point, "goodput"), #point.cases > 1
  return {
    remedy = point.remedy.name, naive = point.remedy.naive or "-", goodput = median(point, "goodput", 0, 100),
    min = has_several and round(100 * math.min(table.unpack(goodputs)), 0) or nil,
    max = has_several and round(100 * math.max(table.unpack(goodputs)), 0) or nil,
    stale = median(point, "stale", 0, 100), half = median(point, "half", 0, 100), p50 = median(point, "p50", 0, 1000),
    p99 = median(point, "p99", 0, 1000), tries = median(point, "tries"), held = median(point, "held", 0),
  }
end

local function run_overloads(knobs)
  local capacity = overload.capacity(knobs.service, 2 * overload.LOOPS)
  local points, records = {}, {}
  local at_once = knobs.delay > 0 and AT_ONCE_DELAYED or AT_ONCE
  for i, remedy in ipairs(tried_in("overload", knobs)) do points[i] = { remedy = remedy } end
  local cases = overload.cases(points, knobs.seed, knobs.seeds, function(point, seed)
    return { remedy = point.remedy, seed = seed }
  end)
  local repeated = overload.run(cases, {
    at_once = at_once, apart = knobs.service / at_once, spare = knobs.spare,
    open = function(case) return open_trial(case.remedy, knobs) end,
    run = function(case, site) return run_overload(case, site, knobs, capacity) end,
  })
  for i, point in ipairs(points) do records[i] = overload_record(point) end
  return overload.add_tally({
    capacity = round(capacity), overload = records,
    late_ms = round(math.max(table.unpack(values_of({ cases = cases }, "lateness"))) * 1000, 2),
  }, points, repeated)
end

-- -- what is demanded of the records -----------------------------------------------------------

-- By fact: whether it is so, and whether it is not; between the two nobody is judged.
local function both(is_so) return { is_so, function(record) return not is_so(record) end } end
local function possible(knobs) return math.min(1, knobs.load) end -- goodput

local SCENARIO = {
  stale = both(function(record) return record.stale == 0 end),
  again = both(function(record) return record.again == 1 end),
  patient = both(function(record) return record.patient == "served" end),
  half = both(function(record) return record.half == "served" end),
  burst = both(function(record) return record.burst == BURST end),
  trips = both(function(record) return record.trips == 0 and record.trips_half == 0 end),
}
local OVERLOAD = {
  goodput = {
    function(record, knobs) return record.goodput > 60 * possible(knobs) end,
    function(record, knobs) return record.goodput < 45 * possible(knobs) end,
  },
  held = both(function(record) return record.held <= BACKLOG end),
  tries = both(function(record) return record.tries <= 1.5 end),
}

local function check_facts(name, record, facts, claims, position, knobs)
  for word in claims[position]:gmatch "%S+" do
    local is_judged = facts[word] and not (knobs.delay > 0 and claims.without_delay == word)
    if is_judged and not facts[word][position](record, knobs) then
      error(("%s: %s is %s"):format(name, word, record[word]), 0)
    end
  end
end

-- Who asks for `none` alone claims that it does all: the control.
local function check_records(records, facts, knobs)
  for _, record in ipairs(records) do
    local name = title { name = record.remedy, naive = record.naive ~= "-" and record.naive or nil }
    local claims = name == "none" and knobs.remedy == "none" and { ALL, "" } or CLAIMS[name]
    check_facts(name, record, facts, claims, 1, knobs)
    check_facts(name, record, facts, claims, 2, knobs)
  end
end

local function without_naive(records)
  return select(records, function(record) return record.naive == "-" end)
end

return experiment {
  claim = "To drop the requests of clients that have left ends stale work, but in overload goodput comes back only"
    .. " with a server that takes what it can still answer in time.",
  knobs = {
    remedy = { "all", "name", "which one is tried, with its naive versions and beside none",
      choices = choice.of(select(remedies, is_right), "name") },
    service = { 0.06, "s", "how long the server works on a request", min = 0.005, max = 1 },
    patience = { 0.6, "s", "how long a client waits for its reply", min = 0.05, max = 5 },
    load = { 1.5, "of capacity", "of the overload; 0: only the scenario", min = 0, max = 3 },
    retries = { 2, "retries", "of a client in the overload, at once", min = 0, max = 16 },
    warm_up = { 1.8, "s", "left out at the beginning of the overload", min = 0 },
    seconds = { 5.0, "s", "up to when requests count; the load goes on until the last of them is over", min = 0.1,
      max = 600 },
    delay = { 0.0, "s", "of the link, each way", min = 0, max = 0.02 },
    seed = { 1, "number", "of the first overload: its arrivals" },
    seeds = { 1, "runs", "of the overload for each remedy, each with the next seed", min = 1, max = 100 },
    spare = { 1, "rounds", "in which disturbed runs are done again, a few side by side", min = 0, max = 100 },
    lateness = { 0.1, "of service", "by how much the clients of a valid run may be late (p99)", min = 0 },
  },
  control = { remedy = "none", load = 0.0 },
  exclusive = true,
  columns = { "remedy", "naive", "goodput", "min", "max", "stale", "again", "patient", "half", "burst", "trips",
    "trips_half", "p50", "p99", "tries", "held" },

  run = function(knobs)
    if knobs.warm_up >= knobs.seconds then
      error(("knob warm_up: %s is not allowed; it is less than seconds, which is %s"):format(knobs.warm_up,
        knobs.seconds), 0)
    end
    lunet.note "The scenario: A is served, others give up in the queue, a half-closing client comes, A leaves."
    local outcome = { scenario = run_scenarios(knobs) }
    if knobs.load == 0 then return outcome end
    lunet.note "The overload: more requests than the server can carry out, from clients with patience and retries."
    for name, value in pairs(run_overloads(knobs)) do outcome[name] = value end
    return outcome
  end,

  check = function(outcome, knobs)
    check_records(outcome.scenario, SCENARIO, knobs)
    if not outcome.overload then return end
    overload.check(outcome)
    check_records(outcome.overload, OVERLOAD, knobs)
  end,

  figures = function(outcome)
    local records = without_naive(outcome.overload or outcome.scenario)
    local first, last = records[1], records[#records]
    if not outcome.overload then
      return ("stale: %s %d, %s %d"):format(first.remedy, first.stale, last.remedy, last.stale)
    end
    return ("goodput: %s %d %%, %s %d %%"):format(first.remedy, first.goodput, last.remedy, last.goodput)
  end,

  plot = function(outcome)
    local names, values, field = {}, {}, outcome.overload and "goodput" or "stale"
    for i, record in ipairs(without_naive(outcome.overload or outcome.scenario)) do
      names[i], values[i] = record.remedy, record[field]
    end
    local label = outcome.overload and "goodput in overload, % of capacity" or "stale requests carried out"
    return plot.bars { names = names, values = values, label = label }
  end,
}
