-- A closed socket that nobody answers any more keeps its namespace for 100 s: core/platform/undertaker.h.
local laboratory = require "spec.support.laboratory"
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"
local spares = require "spec.support.spares"

local NAMESPACES <const> = 12 -- a script below makes 4, and without privilege 3 more

-- Two connected hosts. Their wire is not forwarded any more when lunet is gone, and no FIN arrives.
local SCRIPT <const> = [[
  local lunet = require "lunet"
  local a, b = assert(lunet.host "a"), assert(lunet.host "b")
  local wire = lunet.link(a, b, { delay = 0.001 })
  local listener = assert(b:listen { port = 80, backlog = 1 })
  local connection = assert(a:connect(listener, 20))
  local accepted = assert(listener:accept(20))
  %s
]]

local ENDINGS <const> = {
  { name = "is killed", code = [[os.execute "kill -9 $PPID"]], status = 137 },
  { name = "ends by os.exit", code = "os.exit(0)", status = 0 },
}

local PRIVILEGES <const> = {
  { name = "with privilege", prefix = "" },
  { name = "without privilege", prefix = "unshare --user --map-user=1000 --map-group=1000" },
}

for _, privilege in ipairs(PRIVILEGES) do
  describe("lunet " .. privilege.name .. ", with a connection over a wire,", function()
    for _, ending in ipairs(ENDINGS) do
      it("leaves no network namespace when it " .. ending.name, function()
        local lab <close> = laboratory.open(NAMESPACES)
        lab:start(("exec %s '%s' -e '%s'"):format(privilege.prefix, os.getenv "LUNET", SCRIPT:format(ending.code)))
        local status, lines = lab:status()
        assert.equal(ending.status, status, table.concat(lines, "\n"))
        lab:wait_until_empty()
      end)
    end
  end)
end

-- The undertaker was in the process namespace of the run, which ended with lunet.
describe("a directory of experiments, with a connection over a wire,", function()
  local EXPERIMENT <const> = [[
    return require "lunet.experiment" { claim = "It waits.", check = function() end, run = function() %s end }]]
  local READY <const> = [[assert(io.open(%q, "w")):close() lunet.sleep(100)]]
  local RUN <const> = [[
    '%s' %s >/dev/null 2>&1 & lunet=$!
    for _ in $(seq 400); do [ -e %s ] && break; sleep 0.05; done
    kill -%s $lunet; wait $lunet]]

  for signal, status in pairs { KILL = 137, TERM = 143 } do
    it("leaves no network namespace at SIG" .. signal, function()
      local place <close> = scratch.open()
      local lab <close> = laboratory.open(NAMESPACES)
      local ready = place.path .. "/ready"
      place:write("experiments/waits.lua", EXPERIMENT:format(SCRIPT:format(READY:format(ready))))
      lab:start(RUN:format(os.getenv "LUNET", place.path .. "/experiments", ready, signal))
      assert.equal(status, (lab:status()))
      lab:wait_until_empty()
    end)
  end
end)

describe("a host's namespace", function()
  it("keeps the machine's number of retries while lunet runs", function()
    local host <close> = assert(lunet.host())
    local file <close> = assert(io.open "/proc/sys/net/ipv4/tcp_orphan_retries")
    assert.equal(file:read "n", (assert(host:sysctl "net.ipv4.tcp_orphan_retries")))
  end)

  it("ends with its host, long before lunet", function()
    local lab <close> = laboratory.open(4)
    lab:start(([[exec '%s' -e 'local lunet = require "lunet"
      for _ = 1, 8 do
        local host = assert(lunet.eventually(function() return (lunet.host()) end, 20))
        host:close()
      end']]):format(os.getenv "LUNET"))
    assert.same({ 0, {} }, { lab:status() })
    lab:wait_until_empty()
  end)

  it("ends with its host, although a FIN is not acknowledged", function()
    local lab <close> = laboratory.open(12)
    lab:start(([[exec '%s' -e 'local lunet = require "lunet"
      for _ = 1, 8 do
        local a = assert(lunet.eventually(function() return (lunet.host()) end, 20))
        local b = assert(lunet.eventually(function() return (lunet.host()) end, 20))
        local link = lunet.link(a, b)
        local listener = assert(b:listen { port = 80, backlog = 1 })
        local connection = assert(a:connect(listener, 20))
        local accepted = assert(listener:accept(20))
        link:close()
        for _, it in ipairs { connection, accepted, listener, a, b } do it:close() end
      end']]):format(os.getenv "LUNET"))
    assert.same({ 0, {} }, { lab:status() })
    lab:wait_until_empty()
  end)
end)

-- The undertaker makes two spares when lunet has made a host, and another one for each that lunet takes.
describe("a spare namespace", function()
  -- Runs a script under lunet with so many namespaces, the mould among them.
  local function run(limit, text)
    local lab <close> = laboratory.open(limit)
    local place <close> = scratch.open()
    lab:start(("exec '%s' %s"):format(os.getenv "LUNET", place:write("script.lua", spares .. [[
      local core = require "lunet.core"
      local lunet = require "lunet"
    ]] .. text)))
    local status, lines = lab:status()
    assert.equal(0, status, table.concat(lines, "\n"))
    lab:wait_until_empty()
    return lines
  end

  it("is a host when no namespace can be made any more", function()
    run(4, [[
      local hosts = { assert(lunet.host()) }
      await_spares(4)
      hosts[2], hosts[3] = assert(lunet.host()), assert(lunet.host())
      local none, _, code = lunet.host()
      assert(not none and code == "ENOSPC")]])
  end)

  it("is like a host that lunet made itself, and no other one's", function()
    run(20, [[
      local function look(host)
        local found = { core.read_file(host, "/proc/thread-self/net/dev"):gsub("%d+", "") }
        for _, name in ipairs { "tcp_max_tw_buckets", "tcp_max_syn_backlog", "tcp_child_ehash_entries", "tcp_rmem" } do
          found[#found + 1] = assert(host:sysctl("net.ipv4." .. name))
        end
        local listener <close> = assert(host:listen { address = "127.0.0.1", port = 7300, backlog = 1 })
        local connection <close> = assert(host:connect("127.0.0.1:7300", 20))
        assert(#host:sockets() == 3)
        return table.concat(found, " ")
      end
      local own = look(assert(lunet.host()))
      for i = 1, 8 do
        lunet.sleep(i % 2 * 0.01) -- some are spares, and some are made while the undertaker makes one
        assert(look(assert(lunet.host())) == own)
      end
      await_spares(12)]])
  end)

  -- Once the second host was refused: the undertaker had taken its namespace for a spare, which was not sent yet.
  it("is waited for if it is the last namespace", function()
    for _ = 1, 10 do run(3, "local a, b = assert(lunet.host()), assert(lunet.host())") end
  end)

  it("is not waited for: lunet makes hosts while the undertaker is stopped, and when it is dead", function()
    for _, signal in ipairs { "STOP", "KILL" } do
      run(12, ([[
        local hosts = { assert(lunet.host()) }
        await_spares(4)
        assert(os.execute("kill -%s " .. undertaker))
        for i = 2, 6 do hosts[i] = assert(lunet.host()) end
        for i = 2, 6 do hosts[i]:close() end
        os.execute("kill -CONT " .. undertaker .. " 2>/dev/null")]]):format(signal))
    end
  end)

  it("takes no descriptor that lunet has no room for", function()
    run(12, [[
      local hosts = { assert(lunet.host()) }
      await_spares(4)
      local files = {}
      repeat files[#files + 1] = io.open "/dev/null" until not io.open "/dev/null"
      local none, _, code = lunet.host()
      assert(not none and code == "EMFILE", code)
      for _, file in ipairs(files) do file:close() end
      for i = 2, 4 do hosts[i] = assert(lunet.host()) end]])
  end)
end)
