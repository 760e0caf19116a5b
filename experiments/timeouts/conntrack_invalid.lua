-- Claim. One late segment makes a NAT reset a healthy connection. The kernel's liberal mode, or a rule that drops what
-- is INVALID, prevents that.
--
-- Why. Connection tracking follows both windows of each connection (net/netfilter/nf_conntrack_proto_tcp.c,
-- tcp_in_window). A segment beyond the window of its receiver is INVALID: no entry, and so no translation. The segment
-- from the server goes on as it is, to the NAT's own address. The NAT's TCP knows no such connection, and answers by
-- RST with the number that the server expects (RFC 9293, 3.10.7.1): the server's connection is over. The client hears
-- RST when it speaks next. The receiver itself would only have answered such a segment by an ACK (3.10.7.4). With
-- nf_conntrack_tcp_be_liberal = 1 the NAT translates it, and the receiver does just that. A rule at the NAT that drops
-- segments in state INVALID keeps them from its TCP. Data that the receiver has acknowledged already (`old`) is not
-- INVALID.
--
-- Where it was met. Downloads from containers and Kubernetes pods that end by "connection reset by peer" once in
-- thousands; networks that reorder or hold segments for long, and offloads that send past the window.
--
-- What to do. Drop INVALID wherever NAT is done, before the host's own TCP sees it, or set be_liberal. Count what the
-- rule drops. A server that sees resets which no client sent looks at the path, not at the client.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"

local REMEDIES = { "none", "liberal", "drop" }

local function cases_of(knobs)
  local cases = {}
  for _, remedy in ipairs(choice.pick(REMEDIES, knobs.remedy)) do cases[#cases + 1] = { remedy = remedy } end
  return cases
end

-- A client, a NAT and a server in a row, and a connection in which both have spoken.
local function prepare(case)
  local host, nat, server = assert(lunet.host "client"), assert(lunet.host "NAT"), assert(lunet.host "server")
  local near, far = lunet.link(host, nat), lunet.link(nat, server, { delay = 0 })
  assert(host:route("default", near:address(nat)))
  assert(nat:nat { source = true })
  local place = { nat = nat, far = far, client_host = host }
  if case.remedy == "liberal" then assert(nat:sysctl("net.netfilter.nf_conntrack_tcp_be_liberal", 1)) end
  if case.remedy == "drop" then place.rule = assert(nat:drop { state = "invalid", direction = "in" }) end
  local listener = lab.listen(server, { backlog = 5 })
  local target = { address = far:address(server), port = lab.PORT, label = "client" }
  place.client = assert(host:connect(target, lab.LONG))
  place.server = assert(listener:accept(lab.LONG))
  assert(place.client:send "hello\n")
  assert(place.server:receive("l", lab.LONG))
  assert(place.server:send "hello\n")
  assert(place.client:receive("l", lab.LONG))
  return place
end

-- Listens for as long as an end is patient. Returns a line, "nothing", or the name of an error.
local function hears(connection, knobs)
  local line, _, code = connection:receive("l", knobs.patience)
  return line or code == "TIMEOUT" and "nothing" or code
end

-- Whether the late segment came through the NAT.
local function has_come(capture)
  for _, segment in ipairs(capture:segments()) do
    if segment.direction == "in" and segment.bytes == 5 then return true end -- "late\n"
  end
  return false
end

local function measure(place, case, knobs)
  local capture, moved = assert(place.client_host:capture()), lab.counters(place.nat)
  local seq = knobs.segment == "old" and "old" or ("+%d"):format(knobs.beyond)
  assert(place.far:inject { like = place.server, flags = { "PSH", "ACK" }, seq = seq, data = "late\n" })
  local row = { remedy = case.remedy, server = hears(place.server, knobs) }
  row.resets, row.passed = moved "OutRsts", has_come(capture)
  row.dropped = place.rule and place.rule:lost() or 0
  place.client:send "words\n"
  local heard = lunet.together({ place.server, place.client }, function(connection) return hears(connection, knobs) end)
  row.words, row.client = heard[1], heard[2]
  return row
end

-- -- the claim ---------------------------------------------------------------------------------

local WANTED = {
  none = { server = "ECONNRESET", resets = 1, passed = false, dropped = 0, words = "EOF", client = "ECONNRESET" },
  liberal = { server = "nothing", resets = 0, passed = true, dropped = 0, words = "words", client = "nothing" },
  drop = { server = "nothing", resets = 0, passed = false, dropped = 1, words = "words", client = "nothing" },
}

return experiment {
  claim = "One late segment makes a NAT reset a healthy connection. The kernel's liberal mode, or a rule that drops "
    .. "what is INVALID, prevents that.",
  knobs = {
    segment = { "beyond", "segment", "a late one of the server's: data beyond the client's window, or what the client "
      .. "has acknowledged long ago", choices = { "beyond", "old" } },
    beyond = { 10000000, "bytes", "how far beyond what the server would send next", min = 100000, max = 1000000000 },
    patience = { 1.0, "s", "how long an end listens", min = 0.1, max = 60 },
    remedy = { "all", "remedy", "at the NAT: none; nf_conntrack_tcp_be_liberal; a rule that drops INVALID segments",
      choices = choice.of(REMEDIES) },
  },
  control = { segment = "old" },
  -- server: what the server heard after the late segment. resets: the NAT's counter OutRsts. passed: whether the
  -- segment came to the client. dropped: by the rule. words, client: what the server, and the client, heard once the
  -- client had sent "words".
  columns = { "remedy", "server", "resets", "passed", "dropped", "words", "client" },

  run = function(knobs)
    lunet.note "A late segment of each server's comes to its NAT. Then the client sends words."
    local rows, late = lab.measure(cases_of(knobs), prepare,
      function(place, case) return measure(place, case, knobs) end)
    return { rows = rows, lateness = late }
  end,

  check = function(outcome, knobs)
    expect.cases("rows", outcome.rows, cases_of(knobs), { "remedy" })
    for _, row in ipairs(outcome.rows) do expect.fields(row.remedy, row, WANTED[row.remedy]) end
    if outcome.lateness > knobs.patience / 2 then experiment.not_judged "the machine was late" end
  end,

  figures = function(outcome)
    local reset = 0
    for _, row in ipairs(outcome.rows) do reset = reset + (row.server == "ECONNRESET" and 1 or 0) end
    return ("of %d connections %d were reset"):format(#outcome.rows, reset)
  end,
}
