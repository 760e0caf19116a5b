-- Claim. If every attempt fails, one request is carried out (retries + 1)^hops times, often after its client has left.
-- A deadline that is passed on leaves retries + 1.
--
-- Why. Each hop sees only its own connection. A hop whose patience is over closes it and sends the request again on a
-- new one. The next hop knows nothing of that, and still tries for the old one. If the server is slower than the last
-- hop's patience, every attempt fails, and each makes retries + 1 attempts one hop further on: (retries + 1)^hops reach
-- the server. It carries out all of them: a close takes back no byte, and a FIN behind the request (RFC 9293, 3.6) does
-- not say that nobody waits. With the same patience everywhere, the k-th retry at a hop begins k patiences later, and
-- these add up over the hops. The client leaves after retries + 1. Attempts that begin later than that begin for
-- nobody: 17 of 27 with two retries at three hops. If a hop's attempts all fit into one of the hop before (decreasing),
-- the failure comes back while the client is there. It tries again: as many attempts as before, but none for nobody.
-- Two things end the multiplication. A deadline travels with the request, so that a hop has no time left when its own
-- patience is over. Or a hop looks for its client's FIN before it tries again (watch). That takes a half-closed client
-- for one that has gone. It is also a race of the FIN against that hop's own timer; the FIN wins by the time that a hop
-- takes to connect. Both leave the client's own attempts, retries + 1. Patience counts from when a request is sent, so
-- every attempt reaches the next hop, however late the machine is: counts are exact.
--
-- Where it was met. A slow database that gets 27 times its load from three layers (library, gateway, service mesh) that
-- each try three times; a server that is busy for minutes after the last user has left; a longer timeout at the front
-- that made users wait longer and changed nothing else.
--
-- What to do. Retry at one hop only, best at the client (retrying = client shows it). Elsewhere retry by a budget, and
-- never a request that another hop has already retried (an answer that says so). Send the deadline along, wait no
-- longer than it, and begin nothing after it.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local plot = require "lunet.text.plot"
local statistics = require "lunet.load.statistics"

local LONG = lab.LONG
local GRAIN = 0.001 -- s; times are rounded to it

local MODES = { "same", "decreasing", "watch", "deadline" }
local MULTIPLIES = { same = true, decreasing = true }

-- How long a hop waits in one attempt. Decreasing: all attempts, and a pause, fit into one attempt of the hop before.
local function patience_of(hop, mode, knobs)
  if mode ~= "decreasing" then return knobs.patience end
  return knobs.patience / (knobs.retries + 2) ^ (hop - 1)
end

local function retries_of(hop, knobs) return (knobs.retrying == "all" or hop == 1) and knobs.retries or 0 end

-- -- the chain ---------------------------------------------------------------------------------

-- Sends a request, and waits for its reply: "done", "failed", or nil.
local function ask(connection, deadline, patience)
  assert(connection:send(("%.9f\n"):format(deadline)))
  return (connection:receive("l", patience))
end

-- Tries until an attempt succeeds: a client at hop 1, or a proxy at a later hop for its client, which is `behind`. A
-- deadline of 0 is none.
local function try_all(chain, hop, deadline, behind)
  for _ = 0, retries_of(hop, chain.knobs) do
    if chain.mode == "watch" and behind and behind:liveness() ~= "open" then return false end
    local patience = patience_of(hop, chain.mode, chain.knobs)
    if chain.mode == "deadline" and hop == 1 then deadline = lunet.now() + patience end
    if deadline > 0 then patience = math.min(patience, deadline - lunet.now()) end
    if patience <= 0 then return false end
    chain.sent[hop] = chain.sent[hop] + 1
    local connection <close> = assert(chain.hosts[hop]:connect(chain.listeners[hop + 1], LONG))
    if ask(connection, deadline, patience) == "done" then return true end
  end
  return false
end

local function serve_proxy(chain, hop, connection)
  local deadline = tonumber(assert(connection:receive "l"))
  connection:send(try_all(chain, hop, deadline, connection) and "done\n" or "failed\n")
end

local function serve_server(chain, connection)
  local deadline = tonumber(assert(connection:receive "l"))
  if deadline > 0 and lunet.now() >= deadline then return end
  table.insert(chain.begun, lunet.now())
  lunet.sleep(chain.knobs.service)
  connection:send "done\n"
end

-- Host 1 is the client's, the last one the server's. Every host except the client's listens.
local function open_chain(mode, hops, knobs)
  local chain = { mode = mode, knobs = knobs, hops = hops, hosts = {}, listeners = {}, sent = {}, handled = {},
    begun = {}, left = {} }
  for i = 1, hops + 1 do
    local is_server = i == hops + 1
    chain.hosts[i] = assert(lunet.host(i == 1 and "client" or is_server and "server" or "proxy " .. i - 1))
    chain.sent[i], chain.handled[i] = 0, 0
    if i > 1 then
      lunet.link(chain.hosts[i - 1], chain.hosts[i])
      chain.listeners[i] = lab.listen(chain.hosts[i], { backlog = 4096 })
      lunet.spawn(function()
        chain.listeners[i]:serve(function(connection)
          if is_server then serve_server(chain, connection) else serve_proxy(chain, i, connection) end
          chain.handled[i] = chain.handled[i] + 1
        end)
      end)
    end
  end
  return chain
end

-- Whether the next hop has dealt with every request that a hop has sent.
local function is_over(chain)
  for hop = 1, chain.hops do
    if chain.sent[hop] ~= chain.handled[hop + 1] then return false end
  end
  return true
end

-- -- predictions -------------------------------------------------------------------------------

local function is_answered(mode, hops, knobs) return knobs.service < patience_of(hops, mode, knobs) end

-- How many attempts reach the server for a request whose attempts all fail.
local function predict(mode, hops, knobs)
  if is_answered(mode, hops, knobs) then return 1 end
  return MULTIPLIES[mode] and math.tointeger((knobs.retries + 1) ^ hops) or knobs.retries + 1
end

-- How many of them begin after the client has left: they are, over all hops, more than `retries` attempts late.
local function predict_after(mode, hops, knobs)
  if mode ~= "same" or is_answered(mode, hops, knobs) then return 0 end
  local ways = { [0] = 1 } -- by how many attempts late
  for _ = 1, hops do
    local next_ways = {}
    for late, count in pairs(ways) do
      for k = 0, knobs.retries do next_ways[late + k] = (next_ways[late + k] or 0) + count end
    end
    ways = next_ways
  end
  local after = 0
  for late, count in pairs(ways) do
    if late > knobs.retries then after = after + count end
  end
  return after
end

-- When the client leaves: its last attempt ends with the answer, or with its patience.
local function predict_leaving(mode, hops, knobs)
  if is_answered(mode, hops, knobs) then return knobs.service end
  local seconds = math.huge -- until the failure is back at a hop
  for hop = hops, 1, -1 do
    seconds = (retries_of(hop, knobs) + 1) * math.min(seconds, patience_of(hop, mode, knobs))
  end
  return seconds
end

-- -- one case ----------------------------------------------------------------------------------

local function send_request(chain, mode, hops, knobs)
  local server = chain.hosts[hops + 1]
  local moved, began = lab.counters(server), lunet.now()
  local answered = try_all(chain, 1, 0)
  local left = lunet.now()
  local longest = knobs.service + (knobs.retries + 1) * hops * knobs.patience
  assert(lunet.eventually(function() return is_over(chain) end, LONG + longest))
  local opened = moved "PassiveOpens"
  for i = 2, hops + 1 do chain.listeners[i]:close() end
  local after = statistics.count_between(chain.begun, left, math.huge)
  return {
    mode = mode, hops = hops, answered = answered, executed = #chain.begun, predicted = predict(mode, hops, knobs),
    opened = opened, after = mode ~= "watch" and after or nil, raced = mode == "watch" and after or nil,
    after_pred = predict_after(mode, hops, knobs), left_s = statistics.round(left - began, 3),
  }
end

-- -- the claim ---------------------------------------------------------------------------------

-- Each mode with each chain up to the longest.
local function cases_of(knobs)
  local cases = {}
  for _, mode in ipairs(choice.pick(MODES, knobs.mode)) do
    for hops = 1, knobs.hops do cases[#cases + 1] = { mode = mode, hops = hops } end
  end
  return cases
end

local function check_chain(row, knobs)
  local mode, hops = row.mode, row.hops
  local name, predicted = ("%s, %d hops"):format(mode, hops), predict(mode, hops, knobs)
  local leaves, late = predict_leaving(mode, hops, knobs), 0
  expect.fields(name, row, { answered = is_answered(mode, hops, knobs), predicted = predicted,
    opened = MULTIPLIES[mode] and predicted or expect.between(1, (knobs.retries + 1) ^ hops),
    after_pred = predict_after(mode, hops, knobs), left_s = expect.time(leaves - GRAIN, 2.5 * leaves + 20 * GRAIN) })
  if mode == "watch" then
    expect.fields(name, row, { executed = expect.at_least(predicted), raced = expect.at_most(row.executed - 1) })
  elseif mode == "deadline" then
    expect.fields(name, row, { executed = expect.at_most(predicted), after = 0 })
    late = predicted - row.executed -- a request that comes to a hop after the deadline goes no further
  else
    late = row.after_pred - row.after
  end
  if late ~= 0 then experiment.not_judged("%s: the machine was late", name) end
  expect.value(name .. ": executed", row.executed, row.opened)
end

-- Whether every hop of a chain sent again, and every attempt failed.
local function is_tried(row, knobs)
  return MULTIPLIES[row.mode] and row.hops > 1 and knobs.retries > 0 and not row.answered
end

-- How many requests were carried out, by the number of hops, for each mode. Where two modes lie on each other, it draws
-- one.
local function draw(outcome, knobs)
  local hops, series = {}, {}
  for i = 1, knobs.hops do hops[i] = i end
  for _, row in ipairs(outcome.chains) do
    if hops[row.hops] and (knobs.mode ~= "all" or row.mode == "same" or row.mode == "deadline") then
      series[row.mode] = series[row.mode] or {}
      series[row.mode][row.hops] = row.executed
    end
  end
  for mode, counts in pairs(series) do
    if #counts < #hops then series[mode] = nil end
  end
  return plot.line { x = hops, series = series, xlabel = "hops", ylabel = "carried out for one request", height = 11 }
end

return experiment {
  claim = "If every attempt fails, one request is carried out (retries + 1)^hops times, often after its client has "
    .. "left. A deadline that is passed on leaves retries + 1.",
  knobs = {
    hops = { 3, "hops", "the longest chain, with hops - 1 proxies; shorter ones are tried, too", min = 1, max = 5 },
    retries = { 2, "retries", "how often each hop tries again, the client included", min = 0, max = 4 },
    mode = { "all", "way", "patience: the same at each hop; decreasing, so that all attempts fit into one before; the "
      .. "same, and a hop watches for FIN; the same, with the client's deadline passed on",
      choices = choice.of(MODES) },
    patience = { 0.4, "s", "how long the client waits for its reply in one attempt", min = 0.001, max = 60 },
    retrying = { "all", "hops", "the hops that try again: all of them, or the client alone",
      choices = { "all", "client" } },
    service = { 0.5, "s", "how long the server works on a request", min = 0, max = 60 },
  },
  -- executed, predicted: how often the server carried the request out. opened: connections that the server's kernel
  -- counts (PassiveOpens). after, after_pred: begun after the client had left. raced: the same where a hop watches for
  -- FIN, which is a race. left_s: when the client left.
  columns = { "mode", "hops", "executed", "predicted", "opened", "after", "after_pred", "raced", "left_s",
    "answered" },
  control = { retrying = "client" },

  run = function(knobs)
    lunet.note "One request goes through each chain, side by side. The server is too slow for all of them."
    return { chains = lunet.together(cases_of(knobs), function(case)
      return open_chain(case.mode, case.hops, knobs)
    end, function(chain, case)
      return send_request(chain, case.mode, case.hops, knobs)
    end) }
  end,

  check = function(outcome, knobs)
    expect.cases("chains", outcome.chains, cases_of(knobs), { "mode", "hops" })
    local are_tried = false
    for _, row in ipairs(outcome.chains) do
      check_chain(row, knobs)
      are_tried = are_tried or is_tried(row, knobs)
    end
    if not are_tried then experiment.not_judged "no request failed at two hops that both send again" end
  end,

  figures = function(outcome, knobs)
    local parts = {}
    for _, row in ipairs(outcome.chains) do
      if row.hops == knobs.hops then parts[#parts + 1] = ("%s %d"):format(row.mode, row.executed) end
    end
    return "carried out: " .. table.concat(parts, ", ")
  end,

  plot = draw,
}
