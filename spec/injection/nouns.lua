-- Uses each noun of lunet once, and says what came of it: what injected faults are tried on. No field is a time.
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local peer_process = require "lunet.peer.process"
local scratch = require "lunet.peer.scratch"
local workload = require "lunet.load.workload"

local LONG = 5 -- s; bounds waits for states that do come

local function use_processes(server, outcome)
  local place <close> = scratch.open()
  local program <close> = assert(server:exec { "sh", "-c", "read x; echo $x", stdin = "pipe", cwd = place.path })
  assert(program.stdin:send "word\n")
  outcome.printed = assert(program.stdout:receive("l", LONG))
  outcome.status = assert(program:wait(LONG))
  local listening = [[local l = require "lunet".listen { port = 7100, backlog = 1 } io.read()]]
  local peer <close> = peer_process.start(server, { os.getenv "LUNET", "-e", listening, stdin = "pipe" }, 7100)
  peer_process.freeze(peer)
  outcome.frozen = (assert(peer:tree())[1] or {}).state
  assert(peer:thaw())
end

local function use_queue(server, client, outcome)
  local listener <close> = assert(server:listen { port = 7101, backlog = 1 })
  local first = assert(client:connect(listener, LONG))
  assert(first:send "hello\n")
  first:close()
  assert(lunet.eventually(function()
    local held = assert(server:sockets { listener = listener })[1]
    return held and held.fin
  end, LONG))
  outcome.depth = assert(listener:queue()).depth
  local ghost <close> = assert(listener:accept(LONG))
  outcome.line = assert(ghost:receive("l", LONG))
  outcome.liveness = assert(ghost:liveness())
  local rule <close> = assert(server:drop { port = 7101, flags = "SYN" })
  outcome.lost = select(3, client:connect(listener, 0.05))
  outcome.segments = assert(rule:lost()) >= 1
end

local function use_load(server, client, outcome)
  local listener <close> = assert(server:listen { port = 7102, backlog = 20 })
  local serving <close> = lunet.spawn(function() listener:serve(workload.serve) end)
  local clients = workload.clients { host = client, target = listener, patience = LONG }
  local requests = workload.requests { seed = 1, rate = 100, seconds = 0.05, service = 0.001 }
  workload.offer(requests, function(request) clients:send(request) end)
  outcome.answered = #workload.answers(requests)
  outcome.requests = #requests
  serving:cancel()
end

return experiment {
  claim = "Every noun of lunet does what it is for.",
  run = function()
    local server, client = assert(lunet.host "server"), assert(lunet.host "client")
    local _link <close> = lunet.link(server, client)
    local far = assert(lunet.host { name = "far", sysctl = { ["net.ipv4.tcp_syncookies"] = 0 } })
    local wire <close> = lunet.link(client, far, { delay = 0.001 })
    local outcome = { address = wire:address(far) ~= nil }
    local capture <close> = assert(server:capture())
    use_queue(server, client, outcome)
    use_load(server, client, outcome)
    use_processes(server, outcome)
    local there <close> = assert(far:listen { port = 7103, backlog = 1 })
    local over_wire <close> = assert(client:connect(there, LONG))
    assert(lunet.eventually(function() return there:queue().depth == 1 end, LONG))
    outcome.counted = (assert(far:counters())).PassiveOpens
    outcome.seen = lunet.eventually(function() return #capture:segments() > 0 end, LONG)
    local path <close> = scratch.open()
    local unix <close> = assert(lunet.listen { address = "unix:" .. path.path .. "/socket", backlog = 1 })
    local near <close> = assert(lunet.connect(unix, LONG))
    outcome.unix = assert(unix:queue()).depth
    outcome.together = lunet.together({ 1, 2 }, function(n) lunet.sleep(0) return n end)
    return outcome, over_wire, near
  end,
  check = function(outcome)
    local right = { address = true, depth = 1, line = "hello", liveness = "fin", lost = "TIMEOUT", segments = true,
      printed = "word", status = 0, frozen = "T", counted = 1, seen = true, unix = 1 }
    for field, value in pairs(right) do
      if outcome[field] ~= value then error(("%s is %s, not %s"):format(field, outcome[field], value), 0) end
    end
    assert(outcome.answered == outcome.requests, "some requests had no answer")
  end,
}
