local lfs = require "lfs"
local lunet = require "lunet"
local exec = require "spec.support.exec"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"
local sh, sleeper, quote = exec.sh, exec.sleeper, program.quote

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("nothing of a program is left", function()
  local nonce

  before_each(function() nonce = tagged.new() end)
  after_each(function() tagged.wait_until_gone(nonce) end)

  it("when it is closed, also its connections", function()
    local process = assert(lunet.exec(sleeper(nonce)))
    assert.is_true(process:close())
    assert.is_true(process:close())
    assert.equal("CLOSED", (select(3, process.stdout:receive())))
    assert.matches("^process sleep %(closed%)$", tostring(process))
  end)

  it("when it is closed while it is stopped", function()
    local process = assert(lunet.exec(sleeper(nonce)))
    process:freeze()
    tagged.wait_for_states({ process:pid() }, "T")
    process:close()
  end)

  it("when it ignores what can be ignored", function()
    local process = assert(lunet.exec(sh("trap '' TERM HUP INT; echo ready; sleep 1000", { env = { NONCE = nonce } })))
    process.stdout:receive("l", BOUND)
    process:close()
  end)

  it("when it has made itself a daemon", function()
    local process = assert(lunet.exec(sh("(setsid sh -c 'echo $$; exec sleep 1000' &) &", { env = { NONCE = nonce } })))
    assert(process.stdout:receive("l", BOUND))
    assert.equal(0, process:wait(BOUND))
    tagged.wait_for_programs(nonce, 1)
    process:close()
  end)

  it("when its handle goes out of scope", function()
    local process <close> = assert(lunet.exec(sleeper(nonce)))
    tagged.wait_for_programs(nonce, 1)
    assert.equal("TIMEOUT", (select(3, process:wait(0))))
  end)

  it("when its lunet.scope ends", function()
    lunet.scope(function() assert(lunet.exec(sleeper(nonce))) end)
    assert.same({}, lunet.open_handles())
  end)

  it("when its host is closed", function()
    local host = assert(lunet.host())
    local process = assert(host:exec(sleeper(nonce)))
    host:close()
    assert.equal("CLOSED", (select(3, process:pid())))
  end)

  it("when its guard is killed", function()
    local process <close> = assert(lunet.exec(sleeper(nonce)))
    assert(os.execute("kill -9 " .. tagged.stat(process:pid())[2]))
    assert.equal("SIGKILL", process:wait(BOUND))
    assert.equal("ESRCH", (select(3, process:kill())))
    tagged.wait_until_gone(nonce)
  end)
end)

-- Lunet and the stock interpreter with lunet as a module, in a process of their own.
for _, interpreter in ipairs { "lunet", "stock" } do
  describe("nothing of a program outlives " .. interpreter, function()
    local nonce

    before_each(function() nonce = tagged.new() end)
    after_each(function() tagged.wait_until_gone(nonce) end)

    -- A program with a child, a daemon and a stopped process group, on the home host and on another.
    local function script(ending)
      return ([[
        local lunet = require "lunet"
        local words = { "sh", "-c", "sleep 1000 & (setsid sleep 1000 &) ; echo ready; sleep 1000",
          env = { NONCE = %q, LD_PRELOAD = false } }
        local function start(stack)
          local process = assert(stack.exec(words))
          assert(process.stdout:receive("l", 10) == "ready")
          assert(process:freeze())
          return process
        end
        local process = start(lunet)
        local host = assert(lunet.host())
        local second = start { exec = function(...) return host:exec(...) end }
        %s
      ]]):format(nonce, ending)
    end

    it("at the end of the script", function()
      local result = program[interpreter](script "")
      assert.same({ 0, "", "" }, { result.status, result.output, result.errors })
      assert.same({}, tagged.all(nonce)) -- it has waited for that
    end)

    it("at an error", function()
      local result = program[interpreter](script "error 'no more'")
      assert.equal(1, result.status)
      assert.matches("no more", result.errors)
    end)

    it("at os.exit", function()
      assert.equal(4, program[interpreter](script "os.exit(4)").status)
    end)

    it("at os.exit that closes the state, in a task", function()
      local result = program[interpreter](script "lunet.spawn(os.exit, 4, true) lunet.sleep(10)")
      assert.same({ 4, "" }, { result.status, result.errors })
    end)

    it("when it is killed", function()
      local result = program[interpreter](script [[
        os.execute "kill -9 $PPID"
        lunet.sleep(10)
      ]])
      assert.equal(137, result.status)
    end)
  end)
end

describe("a program with a grace", function()
  local nonce

  before_each(function() nonce = tagged.new() end)
  after_each(function() tagged.wait_until_gone(nonce) end)

  -- Its child reads from a pipe until the program, which alone could write to it, is gone.
  local function start(place, child, grace)
    local process = assert(lunet.exec(sh(
      ("mkfifo pipe; (read x <pipe; %s) & exec 3>pipe; echo ready; exec sleep 1000"):format(child),
      { cwd = place.path, grace = grace, env = { NONCE = nonce } })))
    assert.equal("ready", process.stdout:receive("l", BOUND))
    return process
  end

  it("is killed before what it has started, which can clean up", function()
    local place <close> = scratch.open()
    start(place, "echo gone >later", 60):close() -- the longest grace
    assert(lunet.eventually(function() return lfs.attributes(place.path .. "/later", "mode") end, BOUND))
  end)

  it("has time for that when lunet is killed, too", function()
    local place <close> = scratch.open()
    assert.equal(137, program.lunet(([[
      local lunet = require "lunet"
      local process = assert(lunet.exec { "sh", "-c", "mkfifo pipe; (read x <pipe; echo gone >later) & exec 3>pipe; \
        echo ready; exec sleep 1000", cwd = %q, grace = 10, env = { NONCE = %q } })
      process.stdout:receive("l", 10)
      os.execute "kill -9 $PPID"
      lunet.sleep(10)]]):format(place.path, nonce)).status)
    assert(lunet.eventually(function() return lfs.attributes(place.path .. "/later", "mode") end, BOUND))
  end)

  it("leaves nothing that runs longer", function()
    local place <close> = scratch.open()
    start(place, "exec sleep 1000", 0.02):close()
    tagged.wait_until_gone(nonce)
  end)

  it("has a number of seconds", function()
    for _, grace in ipairs { -1, 61, "1", 0 / 0 } do
      assert.has_error(function() lunet.exec { "true", grace = grace } end)
    end
  end)
end)

describe("lunet-guard", function()
  it("is needed to start a program", function()
    local place <close> = scratch.open()
    local result = program.shell(([[
      cd %s && cp "$LUNET" lunet && LUA_PATH="$LUNET_SOURCE/lua/?.lua;$LUNET_SOURCE/lua/?/init.lua;;" ./lunet -e '
        print(select(2, require "lunet".exec { "true" }))']]):format(quote(place.path)))
    assert.equal("exec true: libexec/lunet/lunet-guard beside or above the program lunet: "
      .. "no such file or directory (ENOENT)\tENOENT\n", result.output)
  end)

  -- A sanitizer's check for leaks at exit(3) did not end there.
  it("ends at once if lunet has ended meanwhile", function()
    local guard, nobody = os.getenv "LUNET_BUILD" .. "/libexec/lunet/lunet-guard", "1"
    local process <close> = assert(lunet.exec { guard, nobody, "1024", "", "0", "---", "0", "", "true" })
    assert.equal(1, process:wait(BOUND))
  end)

  it("needs process namespaces, which a machine may refuse", function()
    for call, why in pairs {
      ["lunet.exec { [=[true]=] }"] = "user.max_pid_namespaces is 0 (ENOSPC); to allow it: "
        .. "sudo sysctl -w user.max_pid_namespaces=15000\tENOSPC\n",
      ["assert(lunet.host [=[a]=]):exec { [=[true]=] }"] = "", -- it is in a user namespace below
    } do
      local result = program.shell(([[
        unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_pid_namespaces && exec "$LUNET" -e "
          local lunet = require [=[lunet]=]
          print(select(2, %s))"'
      ]]):format(call))
      assert.matches("exec true: a process namespace: " .. why, result.output, 1, true)
      assert.matches(" (ENOSPC); to allow it: sudo sysctl -w user.max_pid_namespaces=1", result.output, 1, true)
    end
  end)
end)

describe("a program's /proc", function()
  -- As root in a user namespace, or as root: what the guard does.
  local MOUNT = "unshare --user --map-root-user --pid --fork --mount-proc true 2>/dev/null"

  local function it_if_allowed(name, fn)
    it(name, function()
      if not os.execute(MOUNT) then return pending "the machine refuses a /proc of one's own" end
      fn()
    end)
  end

  it_if_allowed("has the numbers that the program itself sees", function()
    local process <close> = assert(lunet.exec(sh "read -r pid rest </proc/self/stat; echo $pid; echo $$"))
    local pid = process.stdout:receive("l", BOUND)
    assert.match("^%d+$", pid)
    assert.equal(pid, process.stdout:receive("l", BOUND))
  end)

  -- Experiments look up there whether a program is stopped. A run of all of them starts each in a lunet
  -- that is itself such a program, and there they found another process, or none.
  it_if_allowed("has the programs of a lunet that is such a program, by their pid()", function()
    local process <close> = assert(lunet.exec { os.getenv "LUNET", "-e", [[
      local lunet = require "lunet"
      local sleep <close> = assert(lunet.exec { "sleep", "1000" })
      print(assert(io.open(("/proc/%d/stat"):format(sleep:pid()))):read "a")]] })
    assert.match("^%d+ %(sleep%) ", process.stdout:receive("l", BOUND))
  end)

  it("leaves lunet's own as it is", function()
    local process <close> = assert(lunet.exec(sleeper "none"))
    local stat <close> = assert(io.open(("/proc/%d/stat"):format(process:pid())))
    assert.match("^%d+ %(sleep%) ", stat:read "a")
  end)
end)
