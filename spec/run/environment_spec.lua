local experiment_files = require "spec.support.experiment_files"
local environment = require "lunet.run.environment"
local isolation = require "lunet.run.isolation"

local listed = {}
for _, name in ipairs(environment.SYSCTLS) do listed[name] = true end

-- A secret, and two that are set for one interface.
local UNLISTED = { ["net.ipv4.tcp_fastopen_key"] = true, ["net.ipv4.neigh.eth0.mcast_solicit"] = true,
  ["net.ipv4.neigh.eth0.retrans_time_ms"] = true }

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
