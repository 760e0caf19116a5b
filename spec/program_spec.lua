local lunet = require "lunet"
local core = require "lunet.core"
local exec = require "spec.support.exec"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"
local sh, run, sleeper = exec.sh, exec.run, exec.sleeper

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("a program", function()
  it("ends with its exit status", function()
    for _, status in ipairs { 0, 1, 7, 255 } do
      assert.equal(status, (select(2, run(sh("exit " .. status)))))
    end
  end)

  it("ends with the name of the signal that killed it", function()
    for _, name in ipairs { "KILL", "TERM", "SEGV" } do
      assert.equal("SIG" .. name, (select(2, run(sh("ulimit -c 0; kill -" .. name .. " $$")))))
    end
  end)

  it("takes words that are numbers", function()
    assert.equal("1 2.5\n", (run { "echo", 1, 2.5 }))
  end)

  it("has lunet's environment, changed as asked for", function()
    local text = 'echo "$A:$B:${HOME-none}:$LUNET"'
    local output = run(sh(text, { env = { A = 1, B = "x y=z", HOME = false } }))
    assert.equal(("1:x y=z:none:%s\n"):format(os.getenv "LUNET"), output)
  end)

  it("is looked for in its own PATH", function()
    local _, message, code = lunet.exec { "cat", env = { PATH = "/nowhere" } }
    assert.same({ "exec cat: no such file or directory (ENOENT)", "ENOENT" }, { message, code })
  end)

  it("runs in lunet's directory, or in another", function()
    local own = assert(io.popen "pwd -P"):read "l"
    assert.equal(own .. "\n", (run { "pwd", "-P" }))
    assert.equal("/proc\n", (run { "pwd", cwd = "/proc" }))
  end)

  it("fails to start with what the kernel says", function()
    local failures = {
      { { "/nowhere/program" }, "ENOENT", "exec /nowhere/program: " },
      { { "no-such-program", env = { PATH = "/bin" } }, "ENOENT", "exec no-such-program: " },
      { { "/etc/passwd", label = "accounts" }, "EACCES", "exec /etc/passwd: " },
      { { "/etc" }, "EACCES", "exec /etc: " },
      { { "true", cwd = "/nowhere" }, "ENOENT", "exec true: cwd /nowhere: " },
      { { "true", ("x"):rep(1 << 20) }, "E2BIG", "exec true: " },
    }
    for _, case in ipairs(failures) do
      local options, expected, start = table.unpack(case)
      local process, message, code = lunet.exec(options)
      assert.is_nil(process)
      assert.equal(expected, code)
      assert.equal(start, message:sub(1, #start))
      assert.same({}, lunet.open_handles())
    end
  end)

  it("has the limit of descriptors that the user has, not lunet's", function()
    -- The hard limit is the same; lunet raises its own soft limit.
    local text = 'ulimit -Sn 100; exec "$LUNET" -e "$SCRIPT"'
    local script = [[local p = assert(require "lunet".exec { "sh", "-c", "ulimit -Sn; ulimit -Hn" })
      io.write(p.stdout:receive "a") p:wait()
      for line in io.lines "/proc/self/limits" do if line:find "open files" then print(line) end end]]
    local soft, hard, own_soft, own_hard = run(sh(text, { env = { SCRIPT = script } })):match
      "^(%S+)\n(%S+)\nMax open files%s+(%S+)%s+(%S+)"
    assert.same({ "100", hard, hard }, { soft, own_soft, own_hard })
  end)

  it("has the limits that it is given, soft and hard", function()
    local text = run { "cat", "/proc/self/limits", limits = { nofile = 64, core = 0, cpu = math.huge } }
    assert.match("Max open files%s+64%s+64 ", text)
    assert.match("Max core file size%s+0%s+0 ", text)
    assert.match("Max cpu time%s+unlimited%s+unlimited ", text)
  end)

  -- In a user namespace nobody has CAP_SYS_RESOURCE.
  it("has no limit above the hard one without the right to it", function()
    local program = ([[ulimit -n 100; exec unshare --user --map-root-user '%s' -e '
      print(select(2, require "lunet".exec { "true", limits = { nofile = 101 } }))']]):format(os.getenv "LUNET")
    assert.equal("exec true: limits: operation not permitted (EPERM)\tEPERM\n", (run(sh(program))))
  end)

  it("gets none of lunet's descriptors", function()
    local file <close> = assert(io.open "/dev/null") -- which is not close-on-exec
    local listener <close> = assert(lunet.listen { backlog = 1 })
    local other <close> = assert(lunet.exec { "cat", stdin = "pipe" })
    for _, kind in ipairs { "keep", "pipe" } do
      -- 3 is the directory itself
      assert.equal("0\n1\n2\n3\n", (run { "ls", "/proc/self/fd", stdout = kind, stderr = "stdout" }))
    end
    assert.is_truthy(file and listener and other)
  end)

  it("gets signals as if it were the first program", function()
    local status = run { "cat", "/proc/self/status" }
    assert.equal(("0"):rep(16), status:match "SigBlk:%s+(%x+)")
    assert.equal(("0"):rep(16), status:match "SigIgn:%s+(%x+)")
  end)

  it("leads a session of its own, which has no terminal", function()
    local process <close> = assert(lunet.exec { "cat", stdin = "pipe" })
    local _, _, group, session, terminal = table.unpack(tagged.stat(process:pid()))
    assert.same({ process:pid(), process:pid(), 0 }, { group, session, terminal })
  end)

  it("runs as the user", function()
    local user = assert(io.popen "id -u; id -g"):read "a"
    assert.equal(user, (run(sh "id -u; id -g")))
  end)

  it("shows in the timeline", function()
    local first = core.record(true)
    local process <close> = assert(lunet.exec { "cat", stdin = "pipe", label = "the cat" })
    assert(process:freeze())
    process.stdin:send "x"
    process:kill "SIGKILL"
    process:wait(BOUND)
    core.record(false)
    local lines = {}
    for _, line in ipairs(require "lunet.run.run".of({ events = (core.events(first)) }):rows()) do
      lines[#lines + 1] = line.who .. " " .. line.what
    end
    assert.same({
      ("the cat starts, as process %d"):format(process:pid()),
      "the cat is sent SIGSTOP",
      "the cat is given 1 byte on its stdin",
      "the cat is sent SIGKILL",
      "the cat is killed by SIGKILL",
    }, lines)
  end)

  it("is refused when its description is wrong", function()
    local wrong = {
      { "a table like { \"redis%-server\", \"%-%-port\", \"7000\" } expected, not nil" },
      { "no program given", {} },
      { "no program given", { env = {} } },
      { "%[1%]: a string or a number expected, not boolean", { true } },
      { "%[2%]: a string or a number expected, not table", { "echo", {} } },
      { "%[2%]: a zero byte", { "echo", "a\0b" } },
      { "unknown option 'stdn' %(known: env, cwd, stdin, stdout, stderr, label, grace, limits, fds, nonblocking%)",
        { "cat", stdn = "pipe" } },
      { "unknown option '3'", { "cat", [3] = "x" } },
      { 'stdin: "null", "pipe" or "inherit" expected, not "stdout"', { "cat", stdin = "stdout" } },
      { 'stdout: "keep", "pipe", "null" or "inherit" expected, not true', { "cat", stdout = true } },
      { 'stderr: "inherit", "keep", "pipe", "null" or "stdout" expected, not "file"', { "cat", stderr = "file" } },
      { 'stdin: "null", "pipe" or "inherit" expected, not "keep"', { "cat", stdin = "keep" } },
      { "cwd: a string expected, not number", { "cat", cwd = 1 } },
      { "label: a string expected, not table", { "cat", label = {} } },
      { "limits: a table like { nofile = 64 } expected, not number", { "cat", limits = 64 } },
      { "unknown limit 'files' %(known: cpu, fsize, data, ", { "cat", limits = { files = 64 } } },
      { "limits.nofile: a whole number from 0 on, or math.huge, expected, not %-1",
        { "cat", limits = { nofile = -1 } } },
      { 'limits.nofile: a whole number from 0 on, or math.huge, expected, not "64"',
        { "cat", limits = { nofile = "64" } } },
      { "env: a table expected, not string", { "cat", env = "A=1" } },
      { "env: a variable's name expected, not A=B", { "cat", env = { ["A=B"] = "1" } } },
      { "env: a variable's name expected, not 1", { "cat", env = { "A=1" } } },
      { "env.A: a string, a number or false expected, not boolean", { "cat", env = { A = true } } },
      { "env: a zero byte", { "cat", env = { A = "x\0" } } },
    }
    for _, case in ipairs(wrong) do
      local ok, message = pcall(lunet.exec, case[2])
      assert.is_false(ok)
      assert.matches(case[1], message)
    end
  end)

  it("is not started where nothing can wait", function()
    local nonce = tagged.new()
    local ok, message = coroutine.resume(coroutine.create(lunet.exec), sleeper(nonce))
    assert.is_false(ok)
    assert.matches("a plain coroutine cannot wait", message)
    assert.same({}, tagged.all(nonce))
  end)

  it("starts while other tasks run", function()
    local turns, is_started = 0, false
    local other = lunet.spawn(function()
      while not is_started do
        turns = turns + 1
        lunet.sleep(0)
      end
    end)
    local process <close> = assert(lunet.exec { "true" })
    is_started = true
    other:join()
    assert.is_true(turns > 0)
    assert.equal(0, process:wait(BOUND))
  end)

  it("does not run on when the task that starts it is canceled", function()
    local nonce = tagged.new()
    local task = lunet.spawn(function() lunet.exec(sleeper(nonce)) end)
    lunet.sleep(0)
    task:cancel()
    assert.equal("CANCELED", (select(3, task:join(BOUND))))
    tagged.wait_until_gone(nonce)
  end)
end)
