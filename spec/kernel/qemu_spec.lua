-- Under Debian 12's own kernel, in an emulated machine.
local guest = require "spec.support.guest"
local lfs = require "lfs"
local lunet = require "lunet"
local program = require "spec.support.program"
local qemu = require "lunet.kernel.qemu"
local shell = require "lunet.text.shell"
local tagged = require "spec.support.tagged"

local BOUND = 600 -- seconds; for a guest that boots: a few on a quiet machine

-- The user's number, which is that in the guest. --as-user makes root 1000.
local UID <const> = math.tointeger(tonumber(program.shell("id -u").output))

local in_guest = guest.specs(_ENV, "qemu")

describe("an emulated machine", function()
  local place
  before_each(function() place = guest.place() end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function script(text) return guest.script(place, text) end

  in_guest("gives the same record twice, each time, since its clock counts instructions", function()
    local words = { "--virtual-time", "--as-user", "experiments/stale_replay.lua", "--json" }
    local output, status = guest.run(table.unpack(words))
    assert.equal(0, status, output)
    assert.matches('"clock":"virtual",\n *"engine":"qemu%-system%-x86_64",\n *"uid":' .. (UID == 0 and 1000 or UID),
      output)
    assert.matches('"kernel":"Linux 6%.1%.', output)
    local again = guest.run(table.unpack(words))
    local function record_of(text) return text:match "\n({.*)$" end
    assert.equal(record_of(output), record_of(again))
  end)

  in_guest("skips waiting, and has the experiment's knobs for that", function()
    local output, status = guest.run("--virtual-time", script [[
      return require "lunet.experiment" {
        claim = "Waiting takes no time.",
        knobs = { pause = { 1, "s", "how long to wait" }, other = { 2, "s", "the same" } },
        virtual = { pause = 36000 },
        run = function(knobs)
          local lunet = require "lunet"
          local began = lunet.now()
          lunet.sleep(knobs.pause)
          return { hours = (lunet.now() - began) // 3600, other = knobs.other }
        end,
        check = function(outcome) assert(outcome.hours == 10 and outcome.other == 2) end,
      }]])
    assert.equal(0, status, output)
  end)

  -- The awake thread would spin for 20 ms before each deadline. By a clock that counts instructions this is no speed.
  in_guest("lets its processor rest before deadlines, which are exact there", function()
    local output, status = guest.run("--virtual-time", script [[
      local lunet = require "lunet"
      local host <close> = lunet.host()
      local began, used = lunet.now(), os.clock()
      for _ = 1, 200 do lunet.sleep(0.1) end
      print(lunet.now() - began, os.clock() - used)
      os.exit(os.clock() - used < 1)]])
    assert.equal(0, status, output)
  end)

  in_guest("has the files beside the script, and gives back what lunet leaves", function()
    place:write("beside", "here")
    assert(os.execute(("chmod a+r %s/beside"):format(place.path)))
    local output, status = guest.run("--virtual-time", "--as-user", script [[
      print(io.open(require "lunet".beside "beside"):read "a")
      os.exit(7)]])
    assert.equal(7, status, output)
    assert.matches("\nhere\n$", output)
  end)

  in_guest("ends with the last words of a kernel that panics, and nothing else comes back", function()
    if UID ~= 0 then return end -- only root may make a kernel panic
    local output, status = guest.run("--virtual-time", script [[
      print "lost"
      io.open("/proc/sysrq-trigger", "w"):write("c"):close()]])
    assert.equal(3, status)
    assert.matches("\nlunet: Linux 6%.1%.%d+: Kernel panic %- not syncing: sysrq triggered crash", output)
    assert.not_matches("lost", output, 1, true)
  end)

  in_guest("says which part a kernel of one's own lacks, whose modules are not here", function()
    local file
    for name in lfs.dir(guest.CACHE .. "/lunet/kernels") do
      if name:find "^qemu%-6%.1%." then file = ("%s/lunet/kernels/%s/vmlinuz"):format(guest.CACHE, name) end
    end
    local words = guest.program("experiments/stale_replay.lua")
    words[3], words.stderr = file, "stdout"
    local process <close> = assert(lunet.exec(words))
    local output = process.stdout:receive("a", BOUND)
    assert.equal(3, process:wait(BOUND))
    assert.matches("\nlunet: Linux 6%.1%.[^\n]*: the kernel has no qemu_fw_cfg, neither built in nor in /lib/mod",
      output)
  end)

  -- Not by lunet.exec, whose guard would end what lunet leaves behind.
  in_guest("ends whole at Ctrl-C", function()
    local nonce = tagged.new()
    local command = "NONCE=%s XDG_CACHE_HOME=%s setsid env --default-signal=INT %s >/dev/null 2>&1 & echo $!"
    local words = guest.program("--virtual-time", script [[while true do end]])
    local started <close> = assert(io.popen(command:format(nonce, guest.CACHE, shell.line(words))))
    local number = started:read "n"
    local function is_there()
      for _, name in pairs(tagged.all(nonce)) do
        if name:find "^qemu" then return true end
      end
    end
    assert(lunet.eventually(is_there, BOUND))
    assert(os.execute("kill -INT " .. number))
    tagged.wait_until_gone(nonce)
  end)

  it("needs programs, and says which packages have them", function()
    local process <close> = assert(lunet.exec { os.getenv "LUNET", "--virtual-time", "experiments/stale_replay.lua",
      env = { PATH = place.path }, stderr = "stdout" })
    local output = process.stdout:receive("a", BOUND)
    assert.equal(3, process:wait(BOUND))
    assert.matches("^lunet: %-%-kernel: [^\n]+\n$", output)
    assert.matches("qemu-system-x86_64 is missing (install the package qemu-system-x86)", output, 1, true)
  end)

  it("has this machine's clock by KVM alone", function()
    assert.equal("real", qemu.clock { is_kvm = true })
    assert.equal("virtual", qemu.clock {})
  end)
end)
