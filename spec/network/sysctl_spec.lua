local container = require "lunet.network.container"
local core = require "lunet.core"
local features = require "lunet.network.features"
local lunet = require "lunet"
local sysctl = require "lunet.network.sysctl"

-- A setting that no kernel has, with a row in the table of features while the value is open.
local function made_up(name, row)
  features.TABLE.sysctl[name] = row
  return setmetatable({}, { __close = function() features.TABLE.sysctl[name] = nil end })
end

describe("a setting of a host that the kernel lacks", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has the value as which the kernel behaves, and takes that", function()
    local _row <close> = made_up("net.ipv4.no_such_yet", { "99.5", "commit 0", absent = 0 })
    local host <close> = assert(lunet.host "a")
    assert.equal(0, host:sysctl "net.ipv4.no_such_yet")
    assert.equal(0, host:sysctl("net.ipv4.no_such_yet", 0))
    assert.equal(0, host:sysctl("net/ipv4/no_such_yet", "0"))
    assert(lunet.host { name = "b", sysctl = { ["net.ipv4.no_such_yet"] = 0 } }):close()
  end)

  it("refuses any other value by the kernel's version, and says what is in force", function()
    local _row <close> = made_up("net.ipv4.no_such_yet", { "99.5", "commit 0", absent = 0 })
    local host <close> = assert(lunet.host "a")
    local value, message, code = host:sysctl("net.ipv4.no_such_yet", 4)
    assert.same({ nil, "ENOENT" }, { value, code })
    assert.equal(("sysctl net.ipv4.no_such_yet = 4: net.ipv4.no_such_yet came with Linux 99.5 (commit 0), and this is "
      .. "%s (ENOENT); 0 is in force"):format(features.release()), message)
  end)

  it("that can neither be made nor is in force keeps an experiment from running", function()
    local _row <close> = made_up("net.ipv4.no_such_yet", { "99.5", "commit 0", absent = 0 })
    local experiment = require "lunet.experiment"
    local function run(value)
      return experiment { claim = "It runs.", run = function() return {} end, check = function() end,
        sysctl = { ["net.ipv4.no_such_yet"] = value } }()
    end
    assert.same({}, (run(0)))
    assert.error_matches(function() run(4) end, "no_such_yet = 4: .*came with Linux 99.5.*0 is in force")
  end)
end)

describe("a setting that cannot be written", function()
  it("is no failure if it is in force", function()
    local host <close> = assert(lunet.host "a")
    local write, now = core.write_file, assert(host:sysctl "net.ipv4.tcp_rmem")
    core.write_file = function() return nil, "read-only file system (EROFS)", "EROFS" end
    local _restored <close> = setmetatable({}, { __close = function() core.write_file = write end })
    assert.equal(now, host:sysctl("net.ipv4.tcp_rmem", now:gsub("\t", " ")))
    local value, message, code = host:sysctl("net.ipv4.tcp_syncookies", 0)
    assert.same({ nil, "EROFS" }, { value, code })
    assert.equal(("sysctl net.ipv4.tcp_syncookies = 0: /proc/sys is mounted read-only, as in a container (EROFS); "
      .. "1 is in force on Linux %s; to allow it: %s"):format(features.release(), container.command "settings"),
      message)
  end)
end)

describe("net.core.somaxconn", function()
  it("is found by listening where the host does not show it", function()
    local host <close> = assert(lunet.host { sysctl = { ["net.core.somaxconn"] = 77 } })
    local read = core.read_file
    core.read_file = function() return nil, "no such file or directory (ENOENT)", "ENOENT" end
    local _restored <close> = setmetatable({}, { __close = function() core.read_file = read end })
    assert.equal(77, host:sysctl "net.core.somaxconn")
    assert.same({}, host:sockets())
  end)
end)

describe("several settings of a host", function()
  local TWO <const> = { ["net.core.somaxconn"] = 77, ["net.ipv4.tcp_rmem"] = "4096 5000 6000" }

  it("are written at once", function()
    local host <close> = assert(lunet.host "a")
    assert.is_true(sysctl.set_all(host, TWO))
    assert.same({ 77, "4096\t5000\t6000" }, { host:sysctl "net.core.somaxconn", (host:sysctl "net.ipv4.tcp_rmem") })
    assert.is_true(sysctl.set_all(host, {}))
    local other <close> = assert(lunet.host "b")
    assert.equal(4096, other:sysctl "net.core.somaxconn")
  end)

  it("name the one that cannot be written", function()
    local host <close> = assert(lunet.host "a")
    for _ = 1, 10 do -- in whichever order
      local ok, message, code = sysctl.set_all(host, { ["net.core.somaxconn"] = 78, ["net.ipv4.tcp_syncookies"] = "x" })
      assert.same({ nil, "EINVAL" }, { ok, code })
      assert.matches("^sysctl net.ipv4.tcp_syncookies = x: the kernel refuses this value", message)
    end
  end)

  it("are no failure if they are in force, where nobody may write them", function()
    local host <close> = assert(lunet.host { sysctl = TWO })
    local all, one = core.write_files, core.write_file
    local function refuse() return nil, "read-only file system (EROFS)", "EROFS" end
    core.write_files, core.write_file = refuse, refuse
    local _restored <close> = setmetatable({}, { __close = function()
      core.write_files, core.write_file = all, one
    end })
    assert.is_true(sysctl.set_all(host, TWO))
    assert.equal("EROFS", select(3, sysctl.set_all(host, { ["net.core.somaxconn"] = 78 })))
  end)

  it("are read at once, without those that this kernel lacks", function()
    local host <close> = assert(lunet.host { sysctl = TWO })
    local before = core.set_home(host)
    local read = sysctl.all_here { "net.core.somaxconn", "net.ipv4.tcp_rmem", "net.ipv4.no_such_yet", "kernel.ostype",
      "no.such.folder" }
    core.set_home(before)
    assert.same({ ["net.core.somaxconn"] = "77", ["net.ipv4.tcp_rmem"] = "4096\t5000\t6000",
      ["kernel.ostype"] = "Linux" }, read)
    assert.same({}, sysctl.all_here {})
  end)

  it("are texts and paths", function()
    local host <close> = assert(lunet.host "a")
    for _, wrong in ipairs { { "x" }, { ["/proc/x"] = 1 }, { ["/proc/x"] = true } } do
      assert.error_matches(function() core.write_files(host, wrong) end, "texts by their paths expected")
    end
    assert.error_matches(function() core.read_files { 1 } end, "a list of paths expected")
    host:close()
    assert.error_matches(function() core.write_files(host, {}) end, "the host is closed")
  end)
end)
