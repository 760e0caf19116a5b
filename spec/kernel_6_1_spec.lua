-- On Debian 12's own kernel line, which script/kernel-6.1 boots as a program.
local lunet = require "lunet"

local BOUND = 60 -- seconds; for a guest that boots and runs a script: a few

local SCRIPT = os.getenv "LUNET_SOURCE" .. "/script/kernel-6.1"

-- Why there is no guest, if there is none.
local function reason()
  local linux <close> = io.open(os.getenv "LUNET_SOURCE" .. "/build/kernels/usr/bin/linux.uml")
  if not linux then return "the group kernels is not here (script/packages kernels)" end
  return os.getenv "LUNET_PRELOAD" and "user-mode Linux has no room for AddressSanitizer's memory" or nil
end

local function in_guest(description, body)
  it(description, function()
    if reason() then return pending(reason()) end
    body()
  end)
end

local function guest(...)
  local process <close> = assert(lunet.exec { SCRIPT, stderr = "stdout", ... })
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
    local output, status = guest("experiments/backlog_capacity.lua", "--backlog", "5", "--somaxconn", "3")
    assert.equal(3, status)
    assert.matches("somaxconn = 3: Linux 6%.1%.%d+ shows .* 4096 is in force", output)
  end)

  in_guest("agrees with the table of features", function()
    local output, status = guest("--as", "root", "/usr/bin/busted", "--ignore-lua", "spec/features_spec.lua")
    assert.equal(0, status, output)
  end)

  in_guest("brings a link up without waiting for its look at carriers once a second", function()
    local output, status = guest("bench/links.lua")
    assert.equal(0, status)
    assert.is_true(tonumber(output:match "^(%S+) ms\n$") < 500, output)
  end)
end)
