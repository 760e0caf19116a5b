-- A closed socket that nobody answers any more keeps its namespace for 100 s: core/platform/undertaker.h.
local laboratory = require "spec.support.laboratory"
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"

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
end)
