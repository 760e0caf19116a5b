-- The program `lunet` as its user meets it: every case starts a real process.
local interpreter = require "spec.support.interpreter"
local quote = require("spec.support.program").quote

local lunet = interpreter.lunet
local busted = interpreter.busted
local shell = interpreter.shell
local run = interpreter.run
local interrupt = interpreter.interrupt
local write_file = interpreter.write_file

local ready = "io.stdout:write('ready\\n') io.stdout:flush() "

setup(interpreter.open)
teardown(interpreter.close)

describe("a machine that lacks something", function()
  it("is told what is missing and what to allow, for every number of descriptors", function()
    local outputs = {}
    for most = 4, 16 do
      local result = shell(("ulimit -n %d; exec %s -e 'require \"lunet\" print \"runs\"'"):format(most, quote(lunet)))
      outputs[most] = result.output
      local is_loaders = result.errors:find "error while loading shared libraries" -- before lunet's first line
      if result.output ~= "runs\n" and not is_loaders then
        assert.equal(1, result.status, result.errors)
        assert.match("[Tt]oo many open files", result.errors)
      end
    end
    assert.equal("runs\n", outputs[16])
  end)

  it("is told of watches", function()
    write_file("watches.lua", "require 'lunet'")
    local result = shell("ASAN_OPTIONS=detect_leaks=0 exec strace -qq -o /dev/null -e trace=epoll_ctl "
      .. "-e inject=epoll_ctl:error=ENOSPC:when=1 " .. quote(lunet) .. " watches.lua")
    assert.equal(1, result.status)
    assert.match("lunet cannot start: no space left on device %(ENOSPC%): more watches are needed "
      .. "%(sysctl fs.epoll.max_user_watches%)", result.errors)
  end)
end)

describe("Ctrl-C", function()
  local loops = {
    ["a loop"] = ready .. "while true do end",
    ["a call that waits"] = ready .. "require 'lunet'.sleep(30)",
    ["a loop in a task"] = "local lunet = require 'lunet' lunet.spawn(function() "
      .. ready .. "while true do end end) lunet.sleep(30)",
    ["the last tasks, after the script"] = "local lunet = require 'lunet' lunet.spawn(function() "
      .. ready .. "while true do end end)",
  }
  for what, script in pairs(loops) do
    it("ends " .. what .. " with status 130 and a traceback", function()
      write_file("loop.lua", script)
      local result = interrupt "loop.lua"
      assert.equal(130, result.status)
      assert.match("^lunet: [^\n]*interrupted!", result.output)
      assert.match("stack traceback:", result.output)
    end)
  end

  it("unwinds what the script has to close", function()
    write_file("unwound.lua", [[
      local _ <close> = setmetatable({}, { __close = function() print "closed" end })
      ]] .. ready .. "while true do end")
    local result = interrupt "unwound.lua"
    assert.equal(130, result.status)
    assert.match("closed\n", result.output)
  end)

  it("is an error that a script may catch", function()
    write_file("caught.lua", "pcall(function() " .. ready .. "while true do end end) print 'caught'")
    assert.same({ status = 0, output = "caught\n" }, interrupt "caught.lua")
  end)
end)

describe("a script that returns an experiment", function()
  -- The library's side is played by the script itself, to see only the program's.
  local function play(answer)
    return ([[
      package.loaded["lunet.command.file"] = {
        run = function(experiment, name, arguments)
          print(experiment.kind, name, #arguments, table.unpack(arguments))
          %s
        end
      }
      return { kind = "lunet.experiment" }, "more"]]):format(answer)
  end

  it("is run with its name and its arguments", function()
    write_file("experiment.lua", play "return 0")
    assert.same({ status = 0, output = "lunet.experiment\texperiment.lua\t2\t--backlog\t5\n", errors = "" },
      run "experiment.lua --backlog 5")
  end)

  it("is run from standard input, which is named -", function()
    assert.same({ status = 0, output = "lunet.experiment\t-\t1\t--json\n", errors = "" },
      run("- --json", play "return 0"))
    assert.same({ status = 0, output = "lunet.experiment\t-\t0\n", errors = "" }, run("", play "return 0"))
  end)

  it("ends with the status of the run", function()
    for _, status in ipairs { 1, 2, 3 } do
      assert.equal(status, run("-", play("return " .. status)).status)
    end
  end)

  it("ends with 3 and a traceback when the run raises", function()
    local result = run("-", play "error 'out of luck'")
    assert.equal(3, result.status)
    assert.match("^lunet: stdin:%d+: out of luck\nstack traceback:\n", result.errors)
  end)

  it("ends with 3 when the run returns no status", function()
    assert.equal(3, run("-", play "return 'fine'").status)
  end)

  it("ends with 130 when Ctrl-C interrupts the run", function()
    write_file("endless.lua", play(ready .. "while true do end"):gsub("print%b()", ""))
    assert.equal(130, interrupt "endless.lua".status)
  end)

  it("is told from other tables by its kind", function()
    for _, value in ipairs { "{}", "{ kind = 'other' }", "{ kind = 1 }", "'lunet.experiment'", "nil",
      "setmetatable({}, { __index = error })" } do
      assert.same({ status = 0, output = "", errors = "" }, run("-", "return " .. value))
    end
  end)
end)

describe("the end of a script", function()
  it("raises the error of a task that nobody joined", function()
    local result = run("-", [[
      local lunet = require "lunet"
      lunet.spawn(function() error "nobody joined me" end)]])
    assert.equal(1, result.status)
    assert.match("^lunet: stdin:2: nobody joined me\n", result.errors)
    assert.match("stack traceback:", result.errors)
  end)

  it("lets the tasks that can run, run, and cancels those that wait", function()
    local result = run("-", [[
      local lunet = require "lunet"
      lunet.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() print "closed" end })
        print "ran"
        lunet.sleep(1000)
        print "woke"
      end)]])
    assert.same({ status = 0, output = "ran\nclosed\n", errors = "" }, result)
  end)

  it("cleans up after a script that failed", function()
    local result = run("-", [[
      local lunet = require "lunet"
      lunet.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() print "closed" end })
        lunet.sleep(1000)
      end)
      lunet.sleep(0)
      error "no"]])
    assert.same({ 1, "closed\n" }, { result.status, result.output })
    assert.match("^lunet: stdin:7: no\n", result.errors)
  end)

  it("comes early, with the status given, when a task calls os.exit", function()
    local result = run("-", [[
      local lunet = require "lunet"
      lunet.spawn(function() os.exit(3, true) end)
      lunet.sleep(1000)]])
    assert.same({ status = 3, output = "", errors = "" }, result)
  end)
end)

describe("busted", function()
  setup(function()
    write_file("specs/passing_spec.lua", [[
      it("runs under lunet", function()
        assert.is_function(package.preload["lunet.core"])
        require "lunet".sleep(0)
      end)]])
    write_file("specs/failing_spec.lua", [[it("fails", function() assert.equal(1, 2) end)]])
  end)

  local ways = {
    ["lunet $(command -v busted)"] = lunet .. " " .. busted .. " --output=TAP ",
    ["busted --lua=lunet"] = busted .. " --lua=" .. lunet .. " --output=TAP ",
  }
  for name, command in pairs(ways) do
    it("runs specs by `" .. name .. "`", function()
      local result = shell(command .. "specs/passing_spec.lua")
      assert.same({ 0, "" }, { result.status, result.errors })
      assert.match("^ok 1 %- runs under lunet\n", result.output)
    end)

    it("tells a failure by `" .. name .. "`", function()
      local result = shell(command .. "specs/failing_spec.lua")
      assert.equal(1, result.status)
      assert.match("^not ok 1 %- fails\n", result.output)
    end)
  end
end)
