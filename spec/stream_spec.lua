local lunet = require "lunet"
local exec = require "spec.support.exec"
local program = require "spec.support.program"

local BOUND = 10 -- seconds; for what takes no time
local sh, run = exec.sh, exec.run

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("the streams of a program", function()
  it("give its output line by line, to the end", function()
    local process <close> = assert(lunet.exec { "printf", "a\\nb\\nc" })
    local lines = {}
    for line in process.stdout:lines(BOUND) do lines[#lines + 1] = line end
    assert.same({ "a", "b", "c" }, lines)
    assert.equal("EOF", process.stdout:ended())
  end)

  it("keep a line that a timeout has cut", function()
    local process <close> = assert(lunet.exec(sh("printf par; read x; echo t", { stdin = "pipe" })))
    assert.equal("TIMEOUT", (select(3, process.stdout:receive("l", 0.01))))
    assert(process.stdin:send("\n", BOUND))
    assert.equal("part", process.stdout:receive("l", BOUND))
  end)

  it("give it what it is sent, and the end of that", function()
    local process <close> = assert(lunet.exec { "cat", stdin = "pipe" })
    assert(process.stdin:send("one\n", BOUND))
    assert.equal("one", process.stdout:receive("l", BOUND))
    assert(process.stdin:send("two", BOUND))
    assert(process.stdin:shutdown())
    assert.equal("two", process.stdout:receive("a", BOUND))
    assert.equal(0, process:wait(BOUND))
  end)

  it("carry more than a buffer holds, both ways at once", function()
    local process <close> = assert(lunet.exec { "cat", stdin = "pipe" })
    local data = ("0123456789abcdef"):rep(1 << 17)
    local sender = lunet.spawn(function()
      assert(process.stdin:send(data, BOUND))
      process.stdin:close()
    end)
    assert.is_true(data == process.stdout:receive("a", BOUND))
    sender:join()
  end)

  it("tell who writes to a program that is gone", function()
    local process <close> = assert(lunet.exec { "true", stdin = "pipe" })
    assert.equal(0, process:wait(BOUND))
    assert.equal("EPIPE", (select(3, process.stdin:send("x", BOUND))))
  end)

  it("are no input, and output to be read, unless asked for otherwise", function()
    local process <close> = assert(lunet.exec { "cat" })
    assert.is_nil(process.stdin)
    assert.is_nil(process.stderr)
    assert.equal("", process.stdout:receive("a", BOUND))
  end)

  it("may be apart for output and errors", function()
    local process <close> = assert(lunet.exec(sh("echo out; echo err >&2", { stderr = "pipe" })))
    assert.equal("out\n", process.stdout:receive("a", BOUND))
    assert.equal("err\n", process.stderr:receive("a", BOUND))
  end)

  it("may be one for output and errors", function()
    assert.equal("out\nerr\n", (run(sh("echo out; echo err >&2", { stderr = "stdout" }))))
  end)

  it("may be thrown away", function()
    local process <close> = assert(lunet.exec(sh("echo out; echo err >&2", { stdout = "null", stderr = "null" })))
    assert.is_nil(process.stdout)
    assert.equal(0, process:wait(BOUND))
  end)

  it("may be lunet's own, in the order of what is printed", function()
    local result = program.lunet [[
      local lunet = require "lunet"
      print "before"
      local process <close> = assert(lunet.exec { "sh", "-c", "cat; echo program; echo error >&2",
        stdin = "inherit", stdout = "inherit" })
      assert(process:wait(10) == 0)
      print "after"
    ]]
    assert.same({ 0, "before\nprogram\nafter\n", "error\n" }, { result.status, result.output, result.errors })
  end)

  it("have the program's name", function()
    local process <close> = assert(lunet.exec { "/bin/cat", stdin = "pipe", stderr = "pipe" })
    local handles = lunet.open_handles()
    table.sort(handles)
    assert.same({ "connection stderr of cat", "connection stdin of cat", "connection stdout of cat",
      ("process cat (%d)"):format(process:pid()) }, handles)
    assert.equal("connection stdin of cat", tostring(process.stdin))
  end)

  it("keep a program alive that nobody names", function()
    local output = assert(lunet.exec(sh("read x; echo $x", { stdin = "pipe" }))).stdout
    collectgarbage()
    collectgarbage()
    assert.equal("TIMEOUT", (select(3, output:receive("l", 0.01))))
    assert.equal(2 + 1, #lunet.open_handles())
    output:close()
    output = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
  end)
end)
