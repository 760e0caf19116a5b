local core = require "lunet.core"
local core_features = require "spec.support.core_features"
local features = require "lunet.network.features"
local lunet = require "lunet"
local options = require "lunet.text.options"
local translation = require "lunet.network.translation"
local tree = require "spec.support.tree"

local ROOT = os.getenv "LUNET_SOURCE"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- The files below some directories, with what they are written in.
local function files_of(ending, ...)
  local paths = {}
  for _, folder in ipairs { ... } do
    for _, path in ipairs(tree.files(folder, ending)) do paths[#paths + 1] = ROOT .. "/" .. path end
  end
  assert(#paths > 0)
  return paths
end

local function without_c_comments(text)
  return (text:gsub("/%*.-%*/", " "):gsub("//[^\n]*", " "):gsub('"[^"\n]*"', " "))
end

local PREFIXES = { SO = "option", TCP = "option", IPV6 = "option", PACKET = "option", SIOC = "call", CLONE = "call",
  PR = "call", SYS = "call", SCM = "call", IFLA = "netlink", IFA = "netlink", RTA = "netlink", RTM = "netlink",
  NLM = "netlink", INET = "netlink", UDIAG = "netlink", UNIX = "netlink", VETH = "netlink", NETLINK = "netlink",
  CTA = "netlink", IPCTNL = "netlink", IPS = "netlink", NFNL = "netlink" }

local function kind_of(token)
  if token:find "^CTA_.*MAX$" then return nil end -- it is but the size of an array
  if token:find "^TCP_CONNTRACK_" then return "netlink" end
  return PREFIXES[token:match "^(%u+%d?)_"] or token:match "^SIOC" and "call" or nil
end

-- The kernel's, and not one that lunet itself has made: the headers have it.
local function is_the_kernels(token)
  return os.execute(("grep -rqwE '(define|^)[[:space:]]*%s' /usr/include/linux /usr/include/asm-generic "
    .. "/usr/include/netinet /usr/include/$(uname -m)-linux-gnu"):format(token)) == true
end

local function is_known(kind, name)
  return core_features[kind] and core_features[kind][name] or features.find(kind, name)
end

local function missing(kind, name, path, into)
  if not is_known(kind, name) then into[#into + 1] = ("%s of %s"):format(name, path) end
end

describe("the table of features", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has every setting that lunet, an experiment, a spec or a measurement names", function()
    local unknown = {}
    for _, path in ipairs(files_of("%.lua$", "lua", "experiments", "spec", "bench")) do
      for name in read(path):gmatch "[\"'](net%.%l%w*%.[%w_%.]+)" do
        if not name:find "%.no_such_" then missing("sysctl", name:gsub("%.$", ""), path, unknown) end
      end
    end
    for _, path in ipairs(files_of("%.c$", "core")) do
      for name in read(path):gmatch '"/proc/sys/(net/[%w_/]+)' do
        missing("sysctl", name:gsub("/", "."), path, unknown)
      end
    end
    assert.same({}, unknown)
  end)

  it("has every option, message and call of the core's that the kernel gives a name", function()
    local unknown = {}
    for _, path in ipairs(files_of("%.c$", "core")) do
      for token in without_c_comments(read(path)):gmatch "%f[%w_][%u][%u%d]+_?[%w_]*" do
        local kind = kind_of(token)
        if kind and not is_known(kind, token) and is_the_kernels(token) then
          missing(kind, token, path, unknown)
        end
      end
    end
    assert.same({}, unknown)
  end)

  it("has every counter that is asked for by name", function()
    local host <close> = assert(lunet.host())
    local unknown, here = {}, {}
    for name in pairs(assert(host:counters())) do here[name] = true end
    for _, path in ipairs(files_of("%.lua$", "lua", "experiments", "spec")) do
      for name in read(path):gmatch "%f[%w_]%u%l?%l?%l?%l?%l?%l?%l?%u%w+" do
        if here[name] then missing("counter", name, path, unknown) end
      end
    end
    assert.same({}, unknown)
  end)

  it("has every word of the rules that lunet.drop and host:nat make", function()
    local rule, text = require "lunet.network.rule", {}
    local drop = core.drop
    core.drop = function(_, content) text[#text + 1] = content end
    local _restored <close> = setmetatable({}, { __close = function() core.drop = drop end })
    for _, reject in ipairs { false, "reset", "unreachable", "host-unreachable", "prohibited" } do
      rule.drop(nil, { direction = "both", reject = reject or nil, first = 1, port = 1, from_port = 1, to_port = 1,
        from = "10.0.0.1", to = "10.0.0.2", flags = { "any", "SYN", "SYN-ACK", "FIN", "data", "ACK" } })
    end
    rule.drop(nil, { direction = "forward", state = "invalid" })
    local router = { name = function() return "R" end, sysctl = function() return true end }
    translation.open(router, { source = true })
    translation.open(router, { port = 1, to = "10.0.0.1", to_port = 1 })
    translation.answer(router, { port = 1 })
    local operands = {} -- names of chains and of values, which the expressions take
    for word in ([[lose bare kinds judge input output raw priority type daddr saddr sport dport l4proto mark flags doff
      syn ack fin rst inc mod with reset icmpx port unreachable host admin prohibited th
      forward state invalid arrive leave prerouting postrouting dstnat srcnat packets bytes to take pass untracked
      mss wscale timestamp sack perm oifname lo]]):gmatch "%w+" do
      operands[word] = true
    end
    local unknown = {}
    for word in table.concat(text):gsub("0x%x+", ""):gmatch "%a%w*" do
      if not operands[word] then missing("expression", word, "the rules", unknown) end
    end
    assert.same({}, unknown)
  end)

  it("says the version and the source of each", function()
    for kind, rows in pairs(options.merged(features.TABLE, core_features)) do
      for name, row in pairs(rows) do
        assert.matches("^%d+%.[%d.]+$", row[1], 1, false, kind .. " " .. name)
        assert.is_true(#row[2] > 4, name)
      end
    end
  end)

  it("agrees with this kernel about its settings and counters", function()
    local host <close> = assert(lunet.host())
    local release, counters = features.release(), assert(host:counters())
    for name, row in pairs(features.TABLE.sysctl) do
      if core.read_file(nil, "/proc/sys/" .. name:gsub("%.", "/")) then
        local age = ("Linux %s has %s already, which is said to have come with %s"):format(release, name, row[1])
        assert.is_true(features.is_at_least(release, row.stable or row[1]), age)
      end
    end
    for name, row in pairs(features.TABLE.counter) do
      local needs_mptcp = name:find "^MPTcp" ~= nil -- CONFIG_MPTCP
      local may_be_there = not needs_mptcp or core.read_file(nil, "/proc/sys/net/mptcp/enabled") ~= nil
      assert.equal(may_be_there and features.is_at_least(release, row[1]), rawget(counters, name) ~= nil, name)
    end
  end)

  it("compares versions by their numbers", function()
    assert.is_true(features.is_at_least("6.12.5-amd64", "6.5"))
    assert.is_true(features.is_at_least("6.5", "6.5"))
    assert.is_true(features.is_at_least("7.0-rc1", "6.18"))
    assert.is_false(features.is_at_least("6.1.0-54-amd64", "6.5"))
    assert.is_false(features.is_at_least("6.5.9", "6.5.10"))
  end)

  it("explains why a kernel is without one", function()
    features.TABLE.sysctl["net.ipv4.no_such_yet"] = { "99.5", "commit 0" }
    features.TABLE.sysctl["net.ipv4.no_such_build"] = { "2.2", "tcp(7)", build = "CONFIG_X" }
    local release = features.release()
    assert.equal(("net.ipv4.no_such_yet came with Linux 99.5 (commit 0), and this is %s"):format(release),
      features.explain("sysctl", "net.ipv4.no_such_yet"))
    assert.equal(("this Linux %s is without net.ipv4.no_such_build, which it has with CONFIG_X"):format(release),
      features.explain("sysctl", "net.ipv4.no_such_build"))
    features.TABLE.sysctl["net.ipv4.no_such_yet"], features.TABLE.sysctl["net.ipv4.no_such_build"] = nil, nil
  end)
end)
