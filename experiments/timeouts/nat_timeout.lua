-- Claim. A NAT that has forgotten an idle connection tells nobody. If the server speaks next, it hears RST, and the
-- client waits without end.
--
-- Why. A NAT keeps an entry for each connection, and forgets it when no segment has come for a time: on Linux after
-- five days (net.netfilter.nf_conntrack_tcp_timeout_established), in home routers after minutes. Neither end hears of
-- that. A segment from the server then meets no entry. It is for the NAT's own address, which has no such connection,
-- and TCP answers by RST. The client hears nothing of that. A segment from the client meets no entry either. Linux
-- makes a new one in the midst of the connection (net/netfilter/nf_conntrack_proto_tcp.c, tcp_new). It keeps the port,
-- so that the server notices nothing. With nf_conntrack_tcp_loose = 0 such a segment is INVALID: it goes on as it is,
-- from an address that the server cannot reach.
--
-- Where it was met. Connection pools behind a NAT, a firewall or a cloud's balancer, whose first request after a quiet
-- night hangs; notifications that stop although both ends are "connected"; servers that see resets which no client
-- sent.
--
-- What to do. Send keepalive probes more often than the NAT forgets, from either end. TCP_USER_TIMEOUT bounds the wait
-- of an end that has sent. An end that only waits has no other remedy than keepalive, or a heartbeat of its protocol.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local option_table = require "lunet.text.options"

local SPEAKERS = { "client", "server" }
local LOOSE = { 1, 0 }
local OPTIONS = {
  none = {},
  keepalive = { keepalive = true, keepidle = 1, keepintvl = 1 },
  user_timeout = { user_timeout = 1.0 },
}
local REMEDIES = { "none", "keepalive", "user_timeout" }
local LATE = 0.5 -- s; the keepalive probes of a machine that is later than this may come too late

local function cases_of(knobs)
  local cases = {}
  for _, remedy in ipairs(choice.pick(REMEDIES, knobs.remedy)) do
    for _, speaks in ipairs(choice.pick(SPEAKERS, knobs.speaks)) do
      for _, loose in ipairs(LOOSE) do cases[#cases + 1] = { remedy = remedy, speaks = speaks, loose = loose } end
    end
  end
  return cases
end

-- A client, a NAT and a server in a row. The server cannot reach the client's own address.
local function prepare(case)
  local host, nat, server = assert(lunet.host "client"), assert(lunet.host "NAT"), assert(lunet.host "server")
  local near, far = lunet.link(host, nat), lunet.link(nat, server)
  assert(host:route("default", near:address(nat)))
  assert(nat:nat { source = true })
  assert(nat:sysctl("net.netfilter.nf_conntrack_tcp_loose", case.loose))
  local listener = lab.listen(server, { backlog = 5 })
  local target = { address = far:address(server), port = lab.PORT, label = "client" }
  local client = assert(host:connect(option_table.merged(target, OPTIONS[case.remedy]), lab.LONG))
  return { nat = nat, ends = { client = client, server = assert(listener:accept(lab.LONG)) } }
end

local function exchange(from, to)
  assert(from:send("hello\n", lab.LONG))
  assert(to:receive("l", lab.LONG))
end

-- Listens for some seconds. Returns what the end hears: a line, the name of an error, or "nothing".
local function hears(connection, seconds)
  local line, _, code = connection:receive("l", seconds)
  return line or code == "TIMEOUT" and "nothing" or code
end

local function measure(place, case, knobs)
  local ends = place.ends
  exchange(ends.client, ends.server)
  -- Only now: the other cases may have taken long to prepare. The entry heeds it from its next segment on.
  assert(place.nat:sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", knobs.forgets))
  exchange(ends.server, ends.client)
  lunet.sleep(knobs.idle)
  local known = #assert(place.nat:tracked())
  local speaker, other = ends[case.speaks], ends[case.speaks == "client" and "server" or "client"]
  assert(speaker:send("news\n", lab.LONG))
  local heard = lunet.together({ speaker, other }, function(connection) return hears(connection, knobs.patience) end)
  return { remedy = case.remedy, speaks = case.speaks, loose = case.loose, known = known, speaker = heard[1],
    other = heard[2] }
end

-- Whether the NAT knows the connection, and what the two ends hear.
local function expected_of(case)
  if case.remedy == "keepalive" then return { known = 1, speaker = "nothing", other = "news" } end
  if case.speaks == "server" then return { known = 0, speaker = "ECONNRESET", other = "nothing" } end
  if case.loose == 1 then return { known = 0, speaker = "nothing", other = "news" } end
  return { known = 0, speaker = case.remedy == "user_timeout" and "ETIMEDOUT" or "nothing", other = "nothing" }
end

local function check_row(row, case, late)
  local name = ("%s, the %s speaks, loose %d"):format(case.remedy, case.speaks, case.loose)
  if case.remedy == "keepalive" and row.known == 0 and late > LATE then
    experiment.not_judged("%s: the machine was %g s late, and so were the probes", name, late)
  end
  expect.fields(name, row, expected_of(case))
end

return experiment {
  claim = "A NAT that has forgotten an idle connection tells nobody. If the server speaks next, it hears RST, and the "
    .. "client waits without end.",
  knobs = {
    forgets = { 2, "whole s", "after which the NAT forgets an idle connection (nf_conntrack_tcp_timeout_established)",
      min = 2, max = 432000 },
    idle = { 3.0, "s", "how long both ends are silent", min = 0, max = 432010 },
    patience = { 3.0, "s", "how long both ends then listen", min = 2, max = 60 },
    speaks = { "all", "end", "which end speaks first then", choices = choice.of(SPEAKERS) },
    remedy = { "all", "option", "of the client's socket: none; keepalive probes each second; TCP_USER_TIMEOUT of 1 s",
      choices = choice.of(REMEDIES) },
  },
  control = { forgets = 60 },
  virtual = { forgets = 1800, idle = 1805.0 }, -- half an hour
  -- known: how many connections the NAT knew when the end spoke. speaker, other: what the end that spoke heard within
  -- its patience, and the other one.
  columns = { "remedy", "speaks", "loose", "known", "speaker", "other" },

  run = function(knobs)
    lunet.note "Each client is connected through a NAT of its own. Then both ends are silent."
    local rows, late = lab.measure(cases_of(knobs), prepare,
      function(place, case) return measure(place, case, knobs) end)
    return { rows = rows, lateness = late }
  end,

  check = function(outcome, knobs)
    local cases = cases_of(knobs)
    expect.cases("rows", outcome.rows, cases, { "remedy", "speaks", "loose" })
    for i, row in ipairs(outcome.rows) do check_row(row, cases[i], outcome.lateness) end
  end,

  figures = function(outcome)
    local delivered, resets = 0, 0
    for _, row in ipairs(outcome.rows) do
      delivered = delivered + (row.other == "news" and 1 or 0)
      resets = resets + (row.speaker == "ECONNRESET" and 1 or 0)
    end
    return ("of %d words %d came, %d were answered by RST"):format(#outcome.rows, delivered, resets)
  end,
}
