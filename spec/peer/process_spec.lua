local lunet = require "lunet"
local peer_process = require "lunet.peer_process"
local exec = require "spec.support.exec"
local raised = require "spec.support.raised"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"
local PORT = 7000

-- A server by lunet itself, which listens after some words of Lua, and then until its input ends.
local function server(before)
  local text = ("%s local l = require('lunet').listen { port = %d, backlog = 1 } io.read()"):format(before, PORT)
  return { os.getenv "LUNET", "-e", text, stdin = "pipe", stderr = "stdout" }
end

describe("a server's process", function()
  local host

  before_each(function() host = assert(lunet.host "server") end)
  after_each(function()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  it("listens when it has started", function()
    local process = peer_process.start(host, server "require('lunet').sleep(0.05)", PORT)
    assert(host:connect("127.0.0.1:" .. PORT, BOUND))
    process.stdin:close()
    assert.equal(0, process:wait(BOUND))
  end)

  it("raises how it ended and what it printed if it ends before it listens", function()
    assert.equal("sh did not start: it ended with status 1; it printed: no way",
      raised(peer_process.start, host, exec.sh "echo no way; exit 1", PORT))
    assert.equal("true did not start: it ended with status 0; it printed nothing on stdout",
      raised(peer_process.start, host, { "true" }, PORT))
    assert.matches("^true did not start: it ended with status 0",
      raised(peer_process.start, host, { "setpriv", "--nnp", "true" }, PORT))
    assert.equal("sh did not start: it was killed by SIGKILL; its stdout is not read (stdout = \"keep\" reads it)",
      raised(peer_process.start, host, exec.sh("kill -KILL $$", { stdout = "null" }), PORT))
    assert.same({ "host server" }, lunet.open_handles())
  end)

  it("is idle if none of its threads runs", function()
    local spins = "threads->create(sub { 1 while 1 });"
    for before, is_idle in pairs { [spins] = false, [""] = true } do
      local words = { "perl", "-Mthreads", "-e", before .. ' $| = 1; print "ready"; <STDIN>; exit', stdin = "pipe" }
      local process <close> = assert(host:exec(words))
      if not process.stdout:receive(5, BOUND) then return pending "perl has no threads here" end
      assert.is_true(lunet.eventually(function() return peer_process.is_idle(process) == is_idle end, BOUND))
      assert.equal(is_idle, peer_process.is_idle(process))
    end
  end)

  it("raises if it cannot be run", function()
    assert.matches("exec /no/such%-program: .*ENOENT", raised(peer_process.start, host, { "/no/such-program" }, PORT))
  end)

  it("is not taken for another one that listens there already", function()
    local _listener <close> = assert(host:listen { port = PORT, backlog = 1 })
    assert.matches("peer process: port 7000 is taken", raised(peer_process.start, host, { "true" }, PORT), 1, true)
  end)

  it("has the place of one that was closed just before", function()
    for _ = 1, 20 do
      local process <close> = peer_process.start(host, server "", PORT)
      process:freeze()
    end
  end)

  it("has a port", function()
    assert.matches("local_port: a whole number", raised(peer_process.start, host, { "true" }, "http"), 1, true)
  end)
end)

describe("a process that ends by itself", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has a status and what it printed", function()
    assert.same({ 3, "said\n" }, { peer_process.finish(lunet.exec(exec.sh "echo said; exit 3")) })
  end)

  it("raises why it was not started", function()
    assert.matches("ENOENT", raised(function() peer_process.finish(lunet.exec { "/no/such-program" }) end))
  end)
end)

describe("a frozen process", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  local function states_of(numbers)
    local states = {}
    for i, number in ipairs(numbers) do states[i] = tagged.stat(number)[1] end
    return table.concat(states)
  end

  it("stands still with all of its group, again and again", function()
    local nonce = tagged.new()
    -- The sleeps are children and grandchildren of the first shell.
    local text = "for i in 1 2 3 4; do (sleep 1000 & sleep 1000 & wait) & done; wait"
    local process <close> = assert(lunet.exec(exec.sh(text, { env = { NONCE = nonce }, stderr = "null" })))
    local numbers = tagged.wait_for_programs(nonce, 13)
    for _ = 1, 20 do
      peer_process.freeze(process)
      assert.equal(("T"):rep(13), states_of(numbers))
      assert(process:thaw())
      tagged.wait_for_states(numbers, "S")
    end
  end)

  -- By their states, since a program has its name before it sleeps.
  local function has_states(process, wanted)
    local states = {}
    for i, entry in ipairs(process:tree()) do states[i] = entry.name .. " " .. entry.state end
    return table.concat(states, ", ") == wanted
  end

  it("stands still in one process alone, if asked to, and names that if it cannot be stopped", function()
    local process <close> = assert(lunet.exec(exec.sh "sleep 1000 & exec sleep 1000"))
    assert(lunet.eventually(function() return has_states(process, "sleep S, sleep S") end, BOUND))
    local one, other = table.unpack(process:tree())
    peer_process.freeze(process, other.pid)
    assert.same({ "S", "T" }, { tagged.stat(one.pid)[1], tagged.stat(other.pid)[1] })
    assert.is_string(raised(peer_process.freeze, process, 1))
  end)

  it("stands still in what has a session of its own, and in orphans", function()
    local text = "setsid sleep 1000 & (setsid sleep 1000 &); exec sleep 1000"
    local process <close> = assert(lunet.exec(exec.sh(text)))
    assert(lunet.eventually(function() return has_states(process, "sleep S, sleep S, sleep S") end, BOUND))
    peer_process.freeze(process)
    assert.is_true(has_states(process, "sleep T, sleep T, sleep T"))
    assert(process:thaw())
    assert(lunet.eventually(function() return has_states(process, "sleep S, sleep S, sleep S") end, BOUND))
  end)

  -- As PostgreSQL's backends: the child that serves has left the group of the one that was started.
  it("does not answer from a child with a session of its own", function()
    local host <close> = assert(lunet.host "server")
    local serve = "local l = require('lunet').listen { port = 7000, backlog = 1 }"
      .. " l:serve(function(c) c:send(c:receive 'L') end)"
    local program = exec.sh("setsid \"$LUNET\" -e \"$SERVE\"; exit", { env = { SERVE = serve } })
    local process <close> = peer_process.start(host, program, PORT)
    peer_process.freeze(process)
    local connection = assert(host:connect("127.0.0.1:" .. PORT, BOUND))
    assert(connection:send "hello\n")
    assert.equal("TIMEOUT", select(3, connection:receive("l", 0.2)))
    assert(process:thaw())
    assert.equal("hello", connection:receive("l", BOUND))
  end)

  it("may have ended", function()
    local process <close> = assert(lunet.exec { "true" })
    assert.equal(0, process:wait(BOUND))
    peer_process.freeze(process)
    local program = assert(process:tree())[1]
    assert.same({ process:pid(), "Z" }, { program.pid, program.state })
  end)

  it("is open", function()
    local process = assert(lunet.exec { "true" })
    process:close()
    assert.matches("CLOSED", raised(peer_process.freeze, process), 1, true)
    assert.is_string(raised(peer_process.freeze, {}))
  end)
end)
