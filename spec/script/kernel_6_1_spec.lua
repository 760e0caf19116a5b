-- On Debian 12's own kernel line, which script/kernel-6.1 boots as a program.
local lunet = require "lunet"
local tagged = require "spec.support.tagged"

local BOUND = 150 -- seconds; for a guest that boots and runs a script: a few

local SCRIPT = os.getenv "LUNET_SOURCE" .. "/script/kernel-6.1"

-- Why there is no guest, if there is none.
local function reason()
  local linux <close> = io.open(os.getenv "LUNET_SOURCE" .. "/build/kernels/usr/bin/linux.uml")
  return not linux and "the group kernels is not here (script/packages kernels)" or nil
end

local function in_guest(description, body)
  it(description, function()
    if reason() then return pending(reason()) end
    body()
  end)
end

local function guest(...)
  -- A sanitizer's memory has no room in the guest: the script runs the release then.
  local env = os.getenv "LUNET_PRELOAD" and { LUNET_BUILD = "" } or nil
  local process <close> = assert(lunet.exec { SCRIPT, stderr = "stdout", env = env, ... })
  local output = assert(process.stdout:receive("a", BOUND))
  return output, process:wait(BOUND)
end

describe("Linux 6.1", function()
  in_guest("isolates an ordinary user's experiments, though hosts do not show net.core.somaxconn", function()
    local output, status = guest("experiments/stale_replay.lua", "--json")
    assert.equal(0, status)
    assert.matches('"verdict":"holds"', output, 1, true)
    assert.not_matches("the machine's own network stack", output, 1, true)
  end)

  in_guest("names itself and a setting that it cannot make", function()
    local output, status = guest("experiments/queue/backlog_capacity.lua", "--backlog", "5", "--somaxconn", "3")
    assert.equal(3, status)
    assert.matches("somaxconn = 3: Linux 6%.1%.%d+ shows .* 4096 is in force", output)
  end)

  in_guest("agrees with the table of features", function()
    local output, status = guest("--as", "root", "/usr/bin/busted", "--ignore-lua",
      "--filter=agrees with this kernel", "spec/network/features_spec.lua")
    assert.equal(0, status, output)
    assert.matches("1 success / 0 failures", output, 1, true)
  end)

  in_guest("lets the memo's claims hold without IPv6, for an ordinary user", function()
    local name = os.tmpname()
    local file <close> = assert(io.open(name, "w"))
    assert(file:write [[
      for _, name in ipairs { "stale_replay", "connect_without_accept", "pending_data", "ghost_kinds",
          "reply_on_reconnect" } do
        local _, holds, why = dofile("experiments/" .. name .. ".lua")()
        print(name, holds == nil and "not judged" or holds, why)
        assert(holds ~= false, why)
      end
      print "all"]] and file:close())
    assert(os.execute("chmod a+r " .. name))
    local output, status = guest("--ipv6", "off", name)
    os.remove(name)
    assert.equal(0, status, output)
    assert.matches("\nall\n", output)
    output, status = guest("--ipv6", "off", "experiments/ghost_kinds.lua", "--family", "tcp6")
    assert.equal(3, status)
    assert.matches("has no IPv6: it was switched off by ipv6.disable=1", output, 1, true)
  end)

  in_guest("has a doctor that names what the kernel is built without", function()
    local output, status = guest("--ipv6", "absent", "doctor")
    assert.equal(3, status)
    assert.matches("\n  hosts +yes  ", output)
    assert.matches("\n  ipv6 +no  .*to change that: sudo modprobe ipv6\n", output)
    assert.matches("\n  drop +no  .*CONFIG_NF_TABLES_INET", output)
    assert.matches("tcp_syn_linear_timeouts 0\n +net.ipv4.tcp_syn_linear_timeouts came with Linux 6.5", output)
  end)

  -- The guest's own kernel panics, as it does when this machine refuses it a process. $work is a directory of this
  -- machine, so what the first boot leaves there tells the second that it is the second.
  local CRASH = [[local mark = "/run/out/crashed"
    if %s then
      assert(io.open(mark, "w")):close()
      assert(io.open("/proc/sysrq-trigger", "w")):write("c"):close()
    end
    print "went on"]]

  in_guest("is booted again when the guest itself panics", function()
    local output, status = guest("--as", "root", "-e", CRASH:format "not io.open(mark)")
    assert.equal(0, status, output)
    assert.matches("ended early, boot 1 of 3 %(status %d+, Kernel panic", output)
    assert.not_matches("boot 2 of 3", output, 1, true)
    assert.matches("\nwent on\n$", output)
  end)

  in_guest("tells a guest that always panics from what lunet says", function()
    local output, status = guest("--as", "root", "-e", CRASH:format "true")
    assert.equal(5, status, output)
    assert.matches("ended early, boot 3 of 3 %(status %d+, Kernel panic", output)
    assert.not_matches("went on", output, 1, true)
  end)

  -- Not by lunet.exec, whose guard would end what the script leaves behind.
  in_guest("ends whole at Ctrl-C", function()
    local nonce = tagged.new()
    local command = "NONCE=%s LUNET_BUILD='%s' setsid env --default-signal=INT '%s' -e %s >/dev/null 2>&1 & echo $!"
    local build = os.getenv "LUNET_PRELOAD" and "" or os.getenv "LUNET_BUILD"
    local script <close> = assert(io.popen(command:format(nonce, build, SCRIPT, [['require("lunet").sleep(1000)']])))
    local number = script:read "n"
    assert(lunet.eventually(function()
      for _, name in pairs(tagged.all(nonce)) do
        if name:find "linux.uml" then return true end
      end
    end, BOUND))
    assert(os.execute("kill -INT " .. number))
    tagged.wait_until_gone(nonce)
  end)

  in_guest("brings a link up without waiting for its look at carriers once a second", function()
    local output, status = guest("bench/links.lua")
    assert.equal(0, status)
    assert.is_true(tonumber(output:match "(%S+) ms\n$") < 500, output)
  end)
end)
