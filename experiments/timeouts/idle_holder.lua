-- Claim. Each silent connection costs the clients behind it one idle timeout.
--
-- Why. An accepted connection holds a place at the gate whether or not it says anything. The clients behind it are
-- connected, and so is a second silent one: each holds the gate for an idle timeout of its own, one after the other.
-- The clients behind wait for all of them (holders * idle_timeout), or for ever if nothing cuts them. A connection with
-- a byte now and then is never idle; only a deadline for the whole request cuts it (cut = request). All connections are
-- queued in a known order before the gate opens, and waits count from then.
--
-- Where it was met. Browsers that connect ahead and send nothing, in front of a server with few workers; pools that are
-- larger than the server's worker count; slow senders that live on a byte a minute.
--
-- What to do. Cut by a deadline for the whole request, not from byte to byte, and cut at once while others queue. The
-- experiment idle_race shows the fate of a request that crosses a cut.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local statistics = require "lunet.load.statistics"

local GRAIN = 0.1 -- ms; times are rounded to it

local HOLDERS = { "silent", "pool", "trickle" }
local CUTS = { "none", "idle", "request" }

local round = statistics.round

-- -- the wait ----------------------------------------------------------------------------------

-- How the server limits its wait for a request: not at all, from byte to byte, or for all of it.
local READ = {
  none = function(connection) return connection:receive "l" end,
  idle = function(connection, timeout)
    local text = ""
    repeat
      local part = connection:receive(nil, timeout) or connection:receive(nil, 0) -- what came just now counts
      if not part then return nil end
      text = text .. part
    until text:find "\n"
    return text
  end,
  request = function(connection, timeout) return connection:receive("l", timeout) end,
}

-- The kinds of holder: each acts in its own way once it is connected.
local HOLD = {
  silent = function() end,
  pool = function(connection) assert(connection:send "request\n") end, -- and stays when it has its reply
  trickle = function(connection, knobs)
    lunet.spawn(function()
      while connection:send "." do lunet.sleep(knobs.idle_timeout / 10) end
    end)
  end,
}

local function is_cut(connection) return connection:liveness() ~= "open" end

-- How many clients behind the holders are answered, and how long the first of them waited.
local function wait_behind(waiting, began, patience)
  local waits = {}
  local answers = lunet.together(waiting, function(connection, i)
    local answer = connection:receive("l", patience)
    waits[i] = lunet.now() - began
    connection:close()
    return answer or false
  end)
  return statistics.count(answers, function(answer) return answer end), math.min(table.unpack(waits))
end

-- How long the clients behind the holders wait; nil: for ever.
local function predict_wait(case, knobs)
  if case.cut == "none" or case.cut == "idle" and case.holder == "trickle" then return nil end
  return knobs.holders * knobs.idle_timeout
end

local function prepare(case, knobs)
  local server, holder_host, client_host = lab.hosts { "server", "holder", "client" }
  local listener = lab.listen(server, { backlog = knobs.holders + knobs.clients })
  listener:gate(0)
  lunet.spawn(function()
    listener:serve(function(connection)
      while READ[case.cut](connection, knobs.idle_timeout) do connection:send "done\n" end
    end)
  end)
  local holders, waiting = {}, {}
  for i = 1, knobs.holders do holders[i] = lab.queue_client(holder_host, listener) end
  for i = 1, knobs.clients do
    waiting[i] = lab.queue_client(client_host, listener)
    assert(waiting[i]:send "request\n")
  end
  for _, holder in ipairs(holders) do HOLD[case.holder](holder, knobs) end

  return { listener = listener, holders = holders, waiting = waiting }
end

local function measure_wait(place, case, knobs)
  local listener, holders = place.listener, place.holders
  local queued = lab.depth(listener)
  local began = lunet.now()
  listener:gate(1)
  local answered, wait = wait_behind(place.waiting, began, knobs.patience)
  local left, cut = lab.depth(listener), statistics.count(holders, is_cut)
  for _, holder in ipairs(holders) do holder:reset() end -- the tasks end
  listener:close()
  local predicted = predict_wait(case, knobs)
  return {
    holder = case.holder, cut = case.cut, queued = queued, answered = answered, wait_ms = round(1000 * wait),
    predicted = predicted and round(1000 * predicted) or "never", holders_cut = cut, left = left,
  }
end

-- -- the claim ---------------------------------------------------------------------------------

local function wait_cases(knobs) return choice.combinations(knobs, { { "holder", HOLDERS }, { "cut", CUTS } }) end

-- The clients behind wait as long as nothing cuts the holders, or give up before.
local function expect_no_answer(name, row, knobs, most_cut)
  expect.fields(name, row, { answered = 0, holders_cut = expect.between(0, most_cut),
    left = row.queued - 1 - row.holders_cut,
    wait_ms = expect.time(1000 * knobs.patience - GRAIN, 2500 * knobs.patience) })
end

-- Returns true if the clients behind waited as predicted, and false if they gave up too early to tell.
local function check_wait(row, knobs)
  local name, wait = ("%s, cut %s"):format(row.holder, row.cut), predict_wait(row, knobs)
  expect.fields(name, row, { queued = knobs.holders + knobs.clients,
    predicted = wait and round(1000 * wait) or "never" })
  if not wait then
    if row.holders_cut > 0 then experiment.not_judged("%s: the machine was late", name) end
    expect_no_answer(name, row, knobs, 0)
  elseif wait <= knobs.patience / 2 then
    expect.fields(name, row, { answered = knobs.clients, holders_cut = knobs.holders, left = 0,
      wait_ms = expect.time(1000 * wait - GRAIN, 2500 * wait) })
    return true
  elseif wait >= knobs.patience then
    expect_no_answer(name, row, knobs, knobs.patience // knobs.idle_timeout)
  end
  return false
end

return experiment {
  claim = "Each silent connection costs the clients behind it one idle timeout.",
  knobs = {
    holders = { 3, "connections", "how many hold the gate, one after the other", min = 1, max = 1000 },
    clients = { 2, "clients", "how many wait behind the holders", min = 1, max = 1000 },
    holder = { "all", "kind", "silent; pool: silent after a request; trickle: a byte ten times in each idle_timeout",
      choices = choice.of(HOLDERS) },
    cut = { "all", "way", "when the server cuts a holder: never, or after idle_timeout without a byte or a request",
      choices = choice.of(CUTS) },
    idle_timeout = { 0.1, "s", "how long the server waits for a request, or for its next byte", min = 0.001 },
    patience = { 1.0, "s", "how long the clients behind wait for their reply", min = 0.001 },
  },
  -- queued, left: the depth when the gate opens, and at the end. answered: clients with a reply. wait_ms: the wait of
  -- the first of them. holders_cut: holders that the server has cut.
  columns = { "holder", "cut", "queued", "answered", "wait_ms", "predicted", "holders_cut", "left" },
  control = { cut = "none" },

  run = function(knobs)
    lunet.note "The gate opens when all are queued: the holders first, the clients with requests behind them."
    return { waits = lunet.together(wait_cases(knobs), function(case)
      return prepare(case, knobs)
    end, function(place, case)
      return measure_wait(place, case, knobs)
    end) }
  end,

  check = function(outcome, knobs)
    expect.cases("waits", outcome.waits, wait_cases(knobs), { "holder", "cut" })
    local is_tried = false
    for _, row in ipairs(outcome.waits) do is_tried = check_wait(row, knobs) or is_tried end
    if is_tried then return end
    assert(knobs.cut ~= "none", "the clients behind the silent connections waited in vain: nothing cut them")
    experiment.not_judged "nobody behind the silent connections waited for as long as it takes to cut them"
  end,

  figures = function(outcome)
    for _, row in ipairs(outcome.waits) do
      if row.answered > 0 then return ("clients behind waited for %g ms"):format(row.wait_ms) end
    end
    return "clients behind waited in vain"
  end,
}
