local core = require "lunet.core"
local lunet = require "lunet"
local exec = require "spec.support.exec"
local program = require "spec.support.program"
local run_of = require("lunet.run.run").of

local BOUND <const> = require "spec.support.bound"
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
    local received = assert(process.stdout:receive("a", BOUND))
    assert.equal(#data, #received)
    assert.is_true(data == received)
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
    lunet.scope(function()
      local output = assert(lunet.exec(sh("read x; echo $x", { stdin = "pipe" }))).stdout
      collectgarbage()
      collectgarbage()
      assert.equal("TIMEOUT", (select(3, output:receive("l", 0.01))))
      assert.equal(2 + 1, #lunet.open_handles())
    end)
  end)
end)

describe("output that nobody reads", function()
  local LINE = ("x"):rep(63)
  local MOST = 1 << 24 -- bytes that are kept
  local TOO_MANY = 400000 -- lines of 64 bytes: more than that

  -- The events of a kind about a program, in words.
  local function told(kind, first)
    local words = {}
    for _, e in ipairs((core.events(first))) do
      if e.kind == kind then words[#words + 1] = e.label .. " " .. e.stream end
    end
    return words
  end

  local function words_since(first)
    local words = {}
    for _, line in ipairs(run_of({ events = (core.events(first)) }):rows()) do words[#words + 1] = line.what end
    return table.concat(words, "\n")
  end

  -- Writes so many lines of 64 bytes, then "done" on its other stream.
  local function chatterbox(lines, options)
    return sh(('yes %s | head -n %d; echo done >&2'):format(LINE, lines), options)
  end

  it("does not stop the program, and is read afterwards, whole", function()
    local lines = 12000 -- more than a pipe and a socket hold, less than lunet keeps
    local process <close> = assert(lunet.exec(chatterbox(lines, { stderr = "null" })))
    assert.equal(0, process:wait(BOUND))
    assert.equal((LINE .. "\n"):rep(lines), process.stdout:receive("a", BOUND))
  end)

  it("does not stop a program whose loop lunet does not run", function()
    local process <close> = assert(lunet.exec(chatterbox(12000, { stderr = "null" })))
    local file = ("/proc/%d/stat"):format(process:pid())
    for _ = 1, 1e8 do -- no call that waits
      local stat <close> = assert(io.open(file))
      if stat:read("a"):find(") Z", 1, true) then break end
    end
    assert.equal(0, process:wait(0.5))
  end)

  it("is whole for a script that reads it more slowly than the program writes", function()
    local first = core.record(true)
    local process <close> = assert(lunet.exec(chatterbox(TOO_MANY, { stderr = "null" })))
    local pieces = {}
    for _ = 1, 5 do
      lunet.sleep(0.1)
      pieces[#pieces + 1] = assert(process.stdout:receive(1000, BOUND))
    end
    pieces[#pieces + 1] = assert(process.stdout:receive("a", BOUND))
    core.record(false)
    assert.equal(TOO_MANY * 64, #table.concat(pieces))
    assert.same({}, told("output_lost", first))
  end)

  it("loses what is oldest, and the timeline says so once", function()
    local first = core.record(true)
    local process <close> = assert(lunet.exec(chatterbox(TOO_MANY, { label = "server", stderr = "keep" })))
    assert.equal("done", process.stderr:receive("l", BOUND))
    local output = process.stdout:receive("a", BOUND)
    core.record(false)
    assert.is_true(#output >= MOST - 2 * 65536 and #output < TOO_MANY * 64)
    assert.same({ "server stdout" }, told("output_lost", first))
    assert.is_truthy(words_since(first):find(
      "writes more to its stdout than anybody reads: lunet keeps the last 16777216 bytes", 1, true))
  end)

  it("stops the program at a pipe, and the timeline says so", function()
    local first = core.record(true)
    local lines = 400000 -- 25 MB: more than any net.core.wmem_max that machines have
    local program_of = chatterbox(lines, { label = "server", stdout = "pipe", stderr = "null" })
    local process <close> = assert(lunet.exec(program_of))
    assert(lunet.eventually(function()
      core.note "look"
      return #told("output_full", first) > 0
    end, BOUND))
    assert.same({ "server stdout" }, told("output_full", first))
    assert.equal("TIMEOUT", select(3, process:wait(0)))
    assert.is_truthy(words_since(first):find("waits, since its stdout is full: nobody reads it", 1, true))
    assert.equal(lines * 64, #process.stdout:receive("a", BOUND))
    core.record(false)
  end)

  it("is in order when stderr goes where stdout goes", function()
    for _, kind in ipairs { "keep", "pipe" } do
      local text = "for i in 1 2 3; do echo out $i; echo err $i >&2; done"
      assert.equal("out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n", (run(sh(text, { stdout = kind, stderr = "stdout" }))))
    end
  end)

  it("can be opened again by its name when it is kept", function()
    assert.equal("again\n", (run(sh "echo again >/dev/stdout")))
  end)

  it("ends with the program's last writer, not with the program", function()
    local process <close> = assert(lunet.exec(sh "(read x; echo late) & exit 3"))
    assert.equal(3, process:wait(BOUND))
    assert.equal("late\n", process.stdout:receive("a", BOUND))
  end)

  it("is kept while the program is frozen", function()
    local process <close> = assert(lunet.exec(sh "echo before; sleep 1000"))
    assert(lunet.eventually(function() return #process:tree() == 2 or process:tree()[1].name == "sleep" end, BOUND))
    assert(process:freeze())
    assert.equal("before", process.stdout:receive("l", BOUND))
  end)
end)
