local experiment_files = require "spec.support.experiment_files"
local environment = require "lunet.run.environment"
local isolation = require "lunet.run.isolation"
local program = require "spec.support.program"

local LUNET <const> = program.quote(os.getenv "LUNET")

local listed = {}
for _, name in ipairs(environment.SYSCTLS) do listed[name] = true end

-- A secret, three of one interface, and two that an experiment sets where they matter.
local UNLISTED = { ["net.ipv4.tcp_fastopen_key"] = true, ["net.ipv4.neigh.eth0.mcast_solicit"] = true,
  ["net.ipv4.neigh.eth0.retrans_time_ms"] = true, ["net.ipv4.ip_local_reserved_ports"] = true,
  ["net.ipv4.ip_forward"] = true, ["net.ipv4.conf.eth0.forwarding"] = true }

local function content(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

describe("the environment", function()
  it("lists no sysctl twice", function()
    local seen = {}
    for _, name in ipairs(environment.SYSCTLS) do
      assert.is_nil(seen[name], name)
      seen[name] = true
    end
  end)

  it("has every sysctl that isolation pins", function()
    for name in pairs(isolation.SYSCTLS) do assert.is_true(listed[name], name) end
  end)

  it("has every sysctl that an experiment names, since its figures hang on it", function()
    local count = 0
    for _, path in ipairs(experiment_files.all()) do
      for name in content(path):gmatch '"(net%.[%w_.]+)"' do
        count = count + 1
        assert.is_true(listed[name] or UNLISTED[name] or false, ("%s: %s"):format(path, name))
      end
    end
    assert.is_true(count > 10)
  end)

  it("has what they are on the home host, and how much was recorded", function()
    local read = environment.read "segments"
    assert.equal("segments", read.record)
    for _, name in ipairs(environment.SYSCTLS) do
      local value = environment.sysctl(name)
      assert.equal(value, read.sysctl[name])
    end
    assert.match("^%d+ %d+ %d+$", read.sysctl["net.ipv4.tcp_rmem"])
    assert.is_number(read.sysctl["net.ipv4.tcp_retries2"])
  end)

  it("lacks what this kernel has not", function() assert.is_nil(environment.sysctl "net.ipv4.no_such_sysctl") end)

  it("is that of the run, not of the machine", function()
    local home <close> = isolation.enter { ["net.ipv4.tcp_tw_reuse"] = 1, ["net.ipv4.tcp_rmem"] = "4096 70000 80000" }
    if home.note then return pending(home.note) end
    local sysctl = environment.read("none").sysctl
    assert.same({ 1, "4096 70000 80000" }, { sysctl["net.ipv4.tcp_tw_reuse"], sysctl["net.ipv4.tcp_rmem"] })
  end)

end)

describe("the processors", function()
  it("are those that the process may use", function()
    local number = tonumber(program.shell "nproc".output)
    assert.equal(number, environment.processors())
    local script = "print(require 'lunet.run.environment'.processors())"
    local first = program.shell "grep -o '^Cpus_allowed_list:[[:space:]]*[0-9]*' /proc/self/status".output:match "%d+"
    assert.equal("1\n", program.shell(("exec taskset -c %s %s -e %s"):format(first, LUNET,
      program.quote(script))).output)
  end)

  it("are no more than a job of Slurm's was given", function()
    local script = program.quote "print(require 'lunet.run.environment'.processors())"
    local all = environment.processors()
    for given, wanted in pairs { ["1"] = 1, ["100000"] = all, ["much"] = all } do
      assert.equal(wanted .. "\n",
        program.shell(("SLURM_CPUS_ON_NODE=%s exec %s -e %s"):format(given, LUNET, script)).output)
    end
  end)
end)
