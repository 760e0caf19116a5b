local container = require "lunet.network.container"
local core = require "lunet.core"
local dkjson = require "dkjson"
local lunet = require "lunet"
local program = require "spec.support.program"
local raised = require "spec.support.raised"
local refusal = require "lunet.network.refusal"

local LUNET, SOURCE = os.getenv "LUNET", os.getenv "LUNET_SOURCE"

-- Runs the program while a filter refuses system calls.
local function without(calls, arguments)
  return program.shell(("exec '%s/spec/support/refuse_call.py' %s '%s' %s"):format(SOURCE, calls, LUNET, arguments))
end

-- Runs the program in a user namespace with a limit of namespaces: as an ordinary user, on the machine's own stack.
local function limited(setting, most, arguments)
  return program.shell(("exec unshare --user --map-root-user sh -c 'echo %d >/proc/sys/user/%s && exec \"$0\" \"$@\"' "
    .. "'%s' %s"):format(most, setting, LUNET, arguments))
end

local function with_script(text, fn)
  local name = os.tmpname()
  local file <close> = assert(io.open(name, "w"))
  assert(file:write(text) and file:close())
  local result = fn(name)
  os.remove(name)
  return result
end

-- Runs the program as an ordinary user who may make a user namespace but gets no power in it, as AppArmor has it on
-- Ubuntu: a filter refuses what opens a file for writing, and with that /proc/self/uid_map. The setting is a file.
local function without_power(arguments)
  return program.shell(([[exec unshare --user --map-root-user --mount sh -c '
    mount -t tmpfs tmpfs /mnt && cp /proc/sys/kernel/osrelease /proc/sys/kernel/ostype /mnt &&
    echo 1 >/mnt/apparmor_restrict_unprivileged_userns && mount --bind /mnt /proc/sys/kernel &&
    exec unshare --user --map-user=1000 "%s/spec/support/refuse_call.py" open-for-writing "$@"' - '%s' %s]]):format(
    SOURCE, LUNET, arguments))
end

-- Runs the program where /proc/sys is read-only, as in a container.
local function with_read_only_settings(arguments)
  return program.shell(([[exec unshare --user --map-root-user --mount --net sh -c 'mount --bind /proc/sys /proc/sys &&
    mount -o remount,ro,bind /proc/sys && exec "$@"' - '%s' %s]]):format(LUNET, arguments))
end

-- The explanation of a failed call, given the call that was refused and the settings of the machine.
local function explained(call, code, files)
  local refused, open = core.refused, io.open
  core.refused = function() return call end
  io.open = function(path) -- luacheck: ignore 122
    if not files[path] then return nil end
    local name = os.tmpname()
    local file = assert(open(name, "w+"))
    os.remove(name)
    assert(file:write(files[path]))
    file:seek "set"
    return file
  end
  local why, command = refusal.explain(code)
  core.refused, io.open = refused, open -- luacheck: ignore 122
  return { why, command }
end

describe("a refused host", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  for _, call in ipairs { "setns", "unshare" } do
    it(("is explained in one line when a filter refuses %s"):format(call), function()
      local result = without(call, ("'%s/experiments/stale_replay.lua' --json"):format(SOURCE))
      assert.equal(3, result.status)
      assert.matches(("^lunet: stale_replay could not run: [^\n]*refuses %s%%(2%%) %%(EPERM%%); to allow it: [^\n]+\n$")
        :format(call), result.errors)
    end)

    it(("lets an experiment run that needs none, without %s"):format(call), function()
      local result = with_script([[return require "lunet.experiment" { claim = "It connects.",
        check = function(outcome) assert(outcome.depth == 1) end, run = function()
          local lunet = require "lunet"
          local listener <close> = assert(lunet.listen { backlog = 1 })
          local connection <close> = assert(lunet.connect(listener, 10))
          assert(lunet.eventually(function() return listener:queue().depth == 1 end, 10))
          return { depth = listener:queue().depth, state = connection:state() }
        end }]], function(name) return without(call, name .. " --json") end)
      assert.equal(0, result.status, result.errors)
      assert.matches(("runs on the machine's own network stack: host home: .* refuses %s"):format(call), result.errors)
    end)
  end

  it("is no full disk: user namespaces may be forbidden", function()
    local result = limited("max_user_namespaces", 0, ("'%s/experiments/stale_replay.lua' --json"):format(SOURCE))
    assert.equal(3, result.status)
    assert.matches("user.max_user_namespaces is 0 (ENOSPC); to allow it: sudo sysctl -w user.max_user_namespaces=15000",
      result.errors, 1, true)
    assert.not_matches("no space", result.errors)
  end)

  it("is explained where a user namespace gives no power, as on Ubuntu 24.04", function()
    local result = without_power(("'%s/experiments/stale_replay.lua' --json"):format(SOURCE))
    assert.equal(3, result.status)
    local setting = "kernel.apparmor_restrict_unprivileged_userns"
    assert.matches(setting .. " is 1, as Ubuntu has it since 24.04 (AppArmor) (EPERM); to allow it: sudo sysctl -w "
      .. setting .. "=0\n", result.errors, 1, true)
    result = without_power "doctor hosts --json"
    assert.equal(3, result.status)
    assert.matches('"command":"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"', result.output, 1, true)
  end)

  it("leaves the process where it was, also if the move would end half done", function()
    local result = limited("max_net_namespaces", 1, [[-e 'local function user() return io.popen("readlink "
      .. "/proc/self/ns/user /proc/self/ns/net"):read "a" end
      local before = user() print(select(3, require("lunet").host())) print(before == user())']])
    assert.same({ "ENOSPC\ntrue\n", "" }, { result.output, result.errors })
  end)

  it("is no full disk for a LAN and a link with a delay either, which need a host", function()
    local a <close> = assert(lunet.host "a")
    local b <close> = assert(lunet.host "b")
    local host, wire, refused = core.host, core.wire, core.refused
    local _restored <close> = setmetatable({}, { __close = function()
      core.host, core.wire, core.refused = host, wire, refused
    end })
    core.host = function() return nil, "host switch: no space left on device (ENOSPC)", "ENOSPC" end
    core.wire = function() return nil, "link: no space left on device (ENOSPC)", "ENOSPC" end
    core.refused = function() return "unshare(2)" end
    assert.matches("^host switch: as many namespaces as allowed are in use", raised(lunet.lan, { a, b }))
    assert.matches("^link: as many namespaces as allowed are in use", raised(lunet.link, a, b, { delay = 0.001 }))
  end)

  it("is explained by the setting that forbids it", function()
    local settings = "/proc/sys/"
    assert.same({ "kernel.unprivileged_userns_clone is 0, Debian's own setting",
      "sudo sysctl -w kernel.unprivileged_userns_clone=1" },
      explained("unshare(2)", "EPERM", { [settings .. "kernel/unprivileged_userns_clone"] = "0\n" }))
    assert.same({ "kernel.apparmor_restrict_unprivileged_userns is 1, as Ubuntu has it since 24.04 (AppArmor)",
      "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
      explained("/proc/self/uid_map", "EPERM",
        { [settings .. "kernel/apparmor_restrict_unprivileged_userns"] = "1\n" }))
    assert.same({ "user.max_net_namespaces is 0", "sudo sysctl -w user.max_net_namespaces=15000" },
      explained("unshare(2)", "ENOSPC", { [settings .. "user/max_net_namespaces"] = "0\n" }))
    assert.matches("in use (user.max_net_namespaces is 7, user.max_user_namespaces is 9)",
      explained("unshare(2)", "ENOSPC", { [settings .. "user/max_net_namespaces"] = "7\n",
        [settings .. "user/max_user_namespaces"] = "9\n" })[1], 1, true)
  end)

  it("is explained by Docker's filter and by what a container's root lacks", function()
    local filtered = { ["/proc/self/status"] = "Name:\tlunet\nSeccomp:\t2\n", ["/.dockerenv"] = "" }
    assert.same({ "a filter of system calls (seccomp) refuses unshare(2)",
      "docker run --security-opt seccomp=unconfined ..." }, explained("unshare(2)", "EPERM", filtered))
    filtered["/.dockerenv"] = nil
    assert.matches("RestrictNamespaces=no", explained("setns(2)", "EPERM", filtered)[2], 1, true)
    assert.same({ "this root has neither CAP_SYS_ADMIN nor CAP_SETFCAP, as in some containers",
      "docker run --cap-add SYS_ADMIN ..." }, explained("CAP_SETFCAP", "EPERM", {}))
    assert.same({ "unshare(2) is refused, as in a chroot(2) or a container" }, explained("unshare(2)", "EPERM", {}))
  end)

  it("is explained to a root that may make namespaces but not configure networks", function()
    local result = program.shell(("exec unshare --user --map-root-user --net setpriv --bounding-set -net_admin "
      .. "--inh-caps -net_admin '%s' doctor hosts --json"):format(LUNET))
    assert.equal(3, result.status)
    local hosts = dkjson.decode(result.output).abilities[1]
    assert.same({ "this root has CAP_SYS_ADMIN but not CAP_NET_ADMIN", container.command "networks" },
      { hosts.why, hosts.command })
  end)

  it("may have settings that nobody can write: the option of the container is named", function()
    local why, command = container.read_only()
    local result = with_read_only_settings "doctor sysctls delay --json"
    assert.equal(3, result.status)
    for _, ability in ipairs(dkjson.decode(result.output).abilities) do
      assert.same({ "EROFS", command }, { ability.code, ability.command })
      assert.matches(why .. " (EROFS)", ability.why, 1, true)
    end
    result = with_read_only_settings(("'%s/experiments/stale_replay.lua' --json"):format(SOURCE))
    assert.equal(3, result.status)
    assert.matches(("^lunet: stale_replay could not run: [^\n]*sysctl [^\n]*%s"):format(("; to allow it: " .. command
      .. "\n"):gsub("%p", "%%%0") .. "$"), result.errors)
  end)

  it("is not explained by namespaces if it is not they that are refused", function()
    assert.same({}, explained(nil, "EMFILE", {}))
  end)
end)
