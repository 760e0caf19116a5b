-- Under Debian 12's own kernel, as user-mode Linux.
local guest = require "spec.support.guest"
local lunet = require "lunet"
local shell = require "lunet.text.shell"
local tagged = require "spec.support.tagged"

local BOUND = 600 -- seconds; for a guest that boots: a few on a quiet machine

local in_guest = guest.specs(_ENV)

describe("Linux 6.1", function()
  local place
  before_each(function() place = guest.place() end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function script(text) return guest.script(place, text) end

  in_guest("isolates an ordinary user's experiments, though hosts do not show net.core.somaxconn", function()
    local output, status = guest.run("--as-user", "experiments/stale_replay.lua", "--json")
    assert.equal(0, status, output)
    assert.matches('"verdict":"holds"', output, 1, true)
    assert.not_matches("the machine's own network stack", output, 1, true)
  end)

  in_guest("names itself and a setting that it cannot make", function()
    local output, status = guest.run("--as-user", "experiments/queue/backlog_capacity.lua", "--backlog", "5",
      "--somaxconn", "3")
    assert.equal(3, status)
    assert.matches("somaxconn = 3: Linux 6%.1%.%d+ shows .* 4096 is in force", output)
  end)

  in_guest("lets a script have as many descriptors as here", function()
    local LIMIT <const> = "Max open files%s+%w+%s+(%w+)"
    local output, status = guest.run("--as-user", script [[
      for line in io.lines "/proc/self/limits" do print(line) end]])
    assert.equal(0, status, output)
    local file <close> = assert(io.open "/proc/self/limits")
    assert.equal(file:read "a":match(LIMIT), output:match(LIMIT))
  end)

  in_guest("judges no run that met a full table of neighbours, which all its namespaces share", function()
    local output, status = guest.run("--as-user", script [[
      local lunet = require "lunet"
      return require "lunet.experiment" {
        claim = "Hosts reach their neighbours.",
        run = function()
          local near, far = assert(lunet.host "near"), assert(lunet.host "far")
          lunet.link(near, far, { a = { "10.7.0.1/16" }, b = { "10.7.0.2/16" } })
          for i = 0, 1099 do -- each address without an answer takes a place for three seconds
            local address = ("10.7.%d.%d"):format(1 + i // 250, 1 + i % 250)
            lunet.spawn(near.connect, near, { address = address, port = 7000 }, 1)
          end
          lunet.sleep(0)
          return { code = select(3, near:connect({ address = "10.7.0.2", port = 7000 }, 0.5)) }
        end,
        check = function(outcome) assert(outcome.code == "ECONNREFUSED", outcome.code) end,
      }]])
    assert.equal(4, status, output)
    assert.matches("not judged: the machine's table of neighbours was full %(%d+ times%):%s+raise net", output)
  end)

  in_guest("has the standard streams as files", function()
    local output, status = guest.run(script [[
      local file <close> = assert(io.open("/dev/stdout", "a"))
      assert(file:write "through its name\n")
      assert(io.open "/dev/fd/0"):close()]])
    assert.equal(0, status, output)
    assert.matches("through its name\n", output, 1, true)
  end)

  in_guest("agrees with the table of features", function()
    local output, status = guest.run("/usr/bin/busted", "--ignore-lua", "--filter=agrees with this kernel",
      "spec/network/features_spec.lua")
    assert.equal(0, status, output)
    assert.matches("1 success / 0 failures", output, 1, true)
  end)

  in_guest("lets the memo's claims hold without IPv6, for an ordinary user", function()
    local output, status = guest.run("--as-user", "--ipv6=off", script [[
      for _, name in ipairs { "stale_replay", "connect_without_accept", "pending_data",
          "reply_on_reconnect" } do
        local _, holds, why = dofile("experiments/" .. name .. ".lua")()
        print(name, holds == nil and "not judged" or holds, why)
        assert(holds ~= false, why)
      end
      print "all"]])
    assert.equal(0, status, output)
    assert.matches("\nall\n", output)
    output, status = guest.run("--ipv6=off", "experiments/ghost_kinds.lua", "--family", "tcp6")
    assert.equal(3, status)
    assert.matches("has no IPv6: it was switched off by ipv6.disable=1", output, 1, true)
  end)

  in_guest("sees this machine's files, and writes to a /tmp of its own", function()
    local output, status = guest.run("--as-user", script [[
      local name = os.tmpname()
      assert(io.open(name, "w")):write("mine"):close()
      assert(io.open(arg[0])):close()
      print(io.open(name):read "a", io.open("/etc/here", "w"))]])
    assert.equal(0, status, output)
    assert.matches("\nmine\tnil\t/etc/here: Read%-only file system", output)
  end)

  in_guest("has a doctor that names what the kernel is built without", function()
    local output, status = guest.run("--ipv6=absent", "doctor")
    assert.equal(3, status)
    assert.matches("\n  hosts +yes  ", output)
    assert.matches("\n  ipv6 +no  .*to change that: sudo modprobe ipv6\n", output)
    assert.matches("\n  drop +no  .*CONFIG_NF_TABLES_INET", output)
    assert.matches("tcp_syn_linear_timeouts 0\n +net.ipv4.tcp_syn_linear_timeouts came with Linux 6.5", output)
  end)

  -- The processes of a guest, which end with its kernel.
  local function processes_of(nonce)
    local numbers = {}
    for number, name in pairs(tagged.all(nonce)) do
      if name:find "^linux" then numbers[#numbers + 1] = number end
    end
    return numbers
  end

  local function kill_guest(nonce)
    os.execute(("kill -KILL %s 2>/dev/null"):format(table.concat(processes_of(nonce), " ")))
  end

  local function begin(nonce, text)
    local words = guest.program(script(text))
    words.env.NONCE, words.stderr = nonce, "stdout"
    local process = assert(lunet.exec(words))
    assert(lunet.eventually(function() return #processes_of(nonce) > 0 end, BOUND))
    return process
  end

  -- As it does when this machine refuses it a process.
  in_guest("is booted again when its kernel ends early", function()
    local nonce = tagged.new()
    local process <close> = begin(nonce, [[require("lunet").sleep(1) print "went on"]])
    kill_guest(nonce)
    local output = assert(process.stdout:receive("a", BOUND))
    assert.equal(0, process:wait(BOUND), output)
    assert.matches("ended early, boot 1 of 3: ", output, 1, true)
    assert.not_matches("boot 2 of 3", output, 1, true)
    assert.matches("\nwent on\n$", output)
  end)

  in_guest("tells a kernel that always ends early from what lunet says", function()
    local nonce = tagged.new()
    local process <close> = begin(nonce, [[require("lunet").sleep(1000)]])
    assert(lunet.eventually(function()
      kill_guest(nonce)
      return process:wait(0)
    end, BOUND))
    assert.equal(3, process:wait(0))
    assert.matches("ended early, boot 3 of 3: ", process.stdout:receive("a", BOUND), 1, true)
  end)

  -- Not by lunet.exec, whose guard would end what lunet leaves behind.
  in_guest("ends whole at Ctrl-C", function()
    local nonce = tagged.new()
    local command = "NONCE=%s XDG_CACHE_HOME=%s setsid env --default-signal=INT %s >/dev/null 2>&1 & echo $!"
    local words = guest.program(script [[require("lunet").sleep(1000)]])
    local started <close> = assert(io.popen(command:format(nonce, guest.CACHE, shell.line(words))))
    local number = started:read "n"
    assert(lunet.eventually(function() return #processes_of(nonce) > 0 end, BOUND))
    assert(os.execute("kill -INT " .. number))
    tagged.wait_until_gone(nonce)
  end)

  in_guest("brings a link up without waiting for its look at carriers once a second", function()
    local output, status = guest.run("--as-user", "bench/links.lua")
    assert.equal(0, status)
    assert.is_true(tonumber(output:match "(%S+) ms\n$") < 500, output)
  end)
end)
