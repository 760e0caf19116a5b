local lunet = require "lunet"
local exec = require "spec.support.exec"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"
local sh = exec.sh

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("waiting for a program's end", function()
  it("gives the same again and again, also after close", function()
    local process = assert(lunet.exec(sh "exit 3"))
    assert.equal(3, process:wait(BOUND))
    assert.equal(3, process:wait())
    assert.equal(3, process:wait(0))
    process:close()
    assert.equal(3, process:wait(0))
  end)

  it("gives up in time, and may be tried again", function()
    local process <close> = assert(lunet.exec(sh("read x", { stdin = "pipe" })))
    local result, message, code = process:wait(0)
    assert.same({ nil, "wait: the deadline passed (TIMEOUT)", "TIMEOUT" }, { result, message, code })
    assert.equal("TIMEOUT", (select(3, process:wait(0.001))))
    process.stdin:send "\n"
    assert.equal(0, process:wait(BOUND))
  end)

  it("is for many tasks at once", function()
    local process <close> = assert(lunet.exec(sh("read x; exit 5", { stdin = "pipe" })))
    local tasks = {}
    for i = 1, 3 do tasks[i] = lunet.spawn(process.wait, process, BOUND) end
    local impatient = lunet.spawn(process.wait, process, 0.001)
    assert.equal("TIMEOUT", (select(4, impatient:join(BOUND))))
    process.stdin:send "\n"
    for i = 1, 3 do assert.same({ true, 5 }, { tasks[i]:join(BOUND) }) end
  end)

  it("ends when the task is canceled, and the program goes on", function()
    local process <close> = assert(lunet.exec { "sleep", "1000" })
    local task = lunet.spawn(process.wait, process)
    lunet.sleep(0)
    task:cancel()
    assert.equal("CANCELED", (select(3, task:join(BOUND))))
    assert.equal("TIMEOUT", (select(3, process:wait(0))))
  end)

  it("ends when the program is closed", function()
    local process = assert(lunet.exec { "sleep", "1000" })
    local task = lunet.spawn(process.wait, process)
    lunet.sleep(0)
    process:close()
    assert.equal("CLOSED", (select(4, task:join(BOUND))))
    assert.equal("CLOSED", (select(3, process:wait())))
  end)

  it("is not for what the program has started", function()
    local nonce = tagged.new()
    local process <close> = assert(lunet.exec(sh("sleep 1000 >/dev/null & exit 4", { env = { NONCE = nonce } })))
    assert.equal(4, process:wait(BOUND))
    tagged.wait_for_programs(nonce, 1)
    assert(process:kill())
    tagged.wait_for_programs(nonce, 0)
  end)

  it("takes a timeout only", function()
    local process <close> = assert(lunet.exec { "true" })
    assert.has_error(function() process:wait(-1) end)
    assert.has_error(function() process:wait "soon" end)
  end)
end)

describe("a signal", function()
  it("stops a program, and lets it go on", function()
    local process <close> = assert(lunet.exec { "cat", stdin = "pipe" })
    assert.is_true(process:freeze())
    tagged.wait_for_states({ process:pid() }, "T")
    process.stdin:send "x"
    assert.equal("TIMEOUT", (select(3, process.stdout:receive(1, 0.02))))
    assert.is_true(process:thaw())
    assert.equal("x", process.stdout:receive(1, BOUND))
    assert.equal("S", lunet.eventually(function() return tagged.stat(process:pid())[1]:match "S" end, BOUND))
  end)

  it("reaches all of the program's process group, and no more; freezing reaches more", function()
    local nonce = tagged.new()
    local text = "setsid sleep 1000 & sleep 1000 & echo ready; wait"
    local process <close> = assert(lunet.exec(sh(text, { env = { NONCE = nonce }, stderr = "null" })))
    assert.equal("ready", process.stdout:receive("l", BOUND))
    local numbers = tagged.wait_for_programs(nonce, 3)
    process:freeze()
    tagged.wait_for_states(numbers, "T")
    process:thaw()
    tagged.wait_for_states(numbers, "S")
    process:kill()
    assert.equal("SIGTERM", process:wait(BOUND))
    tagged.wait_for_programs(nonce, 1)
    assert(process:freeze())
    tagged.wait_for_states(tagged.wait_for_programs(nonce, 1), "T")
  end)

  it("is given by its name or its number", function()
    for _, signal in ipairs { "SIGKILL", 15, "SIGUSR1", "SIGRTMIN+2", 10.0 } do
      local process <close> = assert(lunet.exec { "sleep", "1000" })
      assert.is_true(process:kill(signal))
      local name = ({ [15] = "SIGTERM", [10] = "SIGUSR1" })[signal] or signal
      assert.equal(name, process:wait(BOUND))
    end
  end)

  it("is handled by a program that handles it", function()
    local text = 'trap "echo got it; exit 9" TERM; echo ready; while :; do sleep 0.01; done'
    local process <close> = assert(lunet.exec(sh(text, { stderr = "null" })))
    assert.equal("ready", process.stdout:receive("l", BOUND))
    process:kill()
    assert.equal("got it", process.stdout:receive("l", BOUND))
    assert.equal(9, process:wait(BOUND))
  end)

  it("is refused if there is none such", function()
    local process <close> = assert(lunet.exec { "sleep", "1000" })
    for _, signal in ipairs { "TERM", "SIGNONE", "", 0, -1, 65, 1.5, {}, true } do
      assert.has_error(function() process:kill(signal) end)
    end
    assert.equal("TIMEOUT", (select(3, process:wait(0))))
  end)

  it("is for a program that is open", function()
    local process = assert(lunet.exec { "true" })
    assert.equal(0, process:wait(BOUND))
    assert.is_true(process:kill())
    process:close()
    for _, method in ipairs { "pid", "freeze", "thaw", "kill", "tree", "usage" } do
      assert.equal("CLOSED", (select(3, process[method](process))))
    end
  end)
end)

describe("the tree of a program", function()
  local function names_of(process)
    local names = {}
    for i, entry in ipairs(assert(process:tree())) do names[i] = entry.name end
    return names
  end

  it("is the program alone, and follows its name and its end", function()
    local process <close> = assert(lunet.exec(sh("read x; exec sleep 1000", { stdin = "pipe" })))
    local only = assert(process:tree())
    assert.same({ 1, process:pid(), "sh" }, { #only, only[1].pid, only[1].name })
    process.stdin:send "\n"
    assert(lunet.eventually(function() return names_of(process)[1] == "sleep" end, BOUND))
    process:kill()
    assert(lunet.eventually(function() return process:tree()[1].state == "Z" end, BOUND))
  end)

  it("has children, what they start, and orphans in sessions of their own", function()
    local text = "setsid sh -c 'tail -f /dev/null & sleep 1000; :' & (setsid sleep 1000 &); exec cat"
    local process <close> = assert(lunet.exec(sh(text, { stdin = "pipe" })))
    assert(lunet.eventually(function()
      local names = names_of(process)
      local first = table.remove(names, 1)
      table.sort(names)
      return first == "cat" and table.concat(names, " ") == "sh sleep sleep tail"
    end, BOUND))
  end)

  it("has neither lunet's guard nor the programs of others", function()
    local other <close> = assert(lunet.exec { "sleep", "1000", stdout = "keep", stderr = "keep" })
    local process <close> = assert(lunet.exec { "cat", stdin = "pipe", stdout = "keep", stderr = "keep" })
    assert.same({ "cat" }, names_of(process))
    assert.is_truthy(other)
  end)

  it("reads a name with spaces and parentheses", function()
    local process <close> = assert(lunet.exec { os.getenv "LUNET", "-e",
      [[local f = io.open("/proc/self/comm", "w") f:write(") S 1 (") f:close() print "named" io.flush() io.read()]],
      stdin = "pipe" })
    assert.equal("named", process.stdout:receive("l", BOUND))
    assert.same({ ") S 1 (" }, names_of(process))
  end)
end)

describe("a program on a host", function()
  local function network_of(stack)
    local process <close> = assert(stack.exec { "readlink", "/proc/self/ns/net" })
    return process.stdout:receive("a", BOUND)
  end

  local function on(host)
    return { exec = function(...) return host:exec(...) end }
  end

  it("is in the host's namespace, and in no other", function()
    local a <close> = assert(lunet.host "a")
    local b <close> = assert(lunet.host "b")
    local home = network_of(lunet)
    assert.equal(network_of(on(a)), network_of(on(a)))
    assert.not_equal(network_of(on(a)), network_of(on(b)))
    assert.not_equal(network_of(on(a)), home)
    assert.equal(home, network_of(lunet))
  end)

  it("reaches the host's listeners", function()
    local host <close> = assert(lunet.host "server")
    local listener <close> = assert(host:listen { backlog = 1 })
    local _, port = listener:address()
    local text = ("exec 3<>/dev/tcp/127.0.0.1/%d; head -n1 <&3"):format(port)
    local process <close> = assert(host:exec { "bash", "-c", text })
    local connection <close> = assert(listener:accept(BOUND))
    assert(connection:send "hello\n")
    assert.equal("hello", process.stdout:receive("l", BOUND))
  end)

  it("is not started on a host that is closed", function()
    local host = assert(lunet.host())
    host:close()
    assert.has_error(function() host:exec { "true" } end, "exec: the host is closed")
  end)
end)
