-- The program `lunet` as its user meets it: every case starts a real process.

local function first_line(command)
  local pipe = assert(io.popen(command))
  local line = pipe:read "l"
  pipe:close()
  return line
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local lunet = first_line("realpath " .. quote(os.getenv "LUNET" or arg[-1]))
local stock = os.getenv "LUA" or first_line "command -v lua5.4"
local busted = first_line "command -v busted"
local scratch -- a directory for the scripts and outputs of this spec

local function write_file(name, text)
  local file = assert(io.open(scratch .. "/" .. name, "w"))
  assert(file:write(text))
  assert(file:close())
end

local function read_file(name)
  local file = assert(io.open(scratch .. "/" .. name))
  local text = file:read "a"
  file:close()
  return text
end

-- Runs a shell command in the scratch directory, for at most ten seconds.
local function shell(command, input)
  write_file("input", input or "")
  local _, _, status = os.execute(
    "cd " .. scratch .. " && unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4 && timeout -k 1 10 sh -c "
      .. quote(command) .. " <input >output 2>errors")
  return { status = status, output = read_file "output", errors = read_file "errors" }
end

local function run(arguments, input)
  return shell(lunet .. " " .. arguments, input)
end

-- Starts lunet, sends it Ctrl-C when it has printed "ready"; what it prints after that, and its status.
local function interrupt(arguments)
  local command = "cd " .. scratch .. " && exec timeout -k 1 10 sh -c "
    .. quote("echo $$; exec " .. lunet .. " " .. arguments) .. " 2>&1"
  local pipe = assert(io.popen(command))
  local process = pipe:read "l"
  assert.equal("ready", pipe:read "l")
  assert(os.execute("kill -INT " .. process))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return { status = status, output = output }
end

local ready = "io.stdout:write('ready\\n') io.stdout:flush() "

setup(function()
  scratch = first_line "mktemp -d"
end)

teardown(function()
  os.execute("rm -rf " .. quote(scratch))
end)

describe("lunet as a Lua interpreter", function()
  -- Each is run by the stock interpreter and by lunet: they print the same, complain in the same
  -- first line, and end with the same status. P stands for the program.
  local same = {
    ["runs a statement"] = [[P -e 'print(1)']],
    ["runs a statement glued to its option"] = [[P '-eprint(1)']],
    ["runs statements in their order"] = [[P -e 'x = 1' -e 'print(x)']],
    ["stops at the first statement that fails"] = [[P -e 'error "no"' -e 'print(1)']],
    ["leaves standard input alone after a statement"] = { [[P -e 'x = 1']], "print 'not me'" },
    ["reads standard input after a statement when asked"] = { [[P -e 'x = 1' -]], "print(x)" },
    ["ends with 1 at a syntax error in a statement"] = [[P -e 'x =']],
    ["ends with 1 at a syntax error in a script"] = { "P -", "x =" },
    ["requires a module into a global"] = [[P -l helper -e 'print(helper.name)']],
    ["requires a module glued to its option"] = [[P -lhelper -e 'print(helper.name)']],
    ["requires a module into a chosen global"] = [[P -l h=helper -e 'print(h.name, helper)']],
    ["ends with 1 when a module is missing"] = [[P -l no_such_module -e 'print(1)']],
    ["runs a script with its arguments"] = [[P script.lua a 'b c' '' -x --]],
    ["publishes what came before the script at negative indices"] = [[P -W -e 'x = 1' script.lua a]],
    ["counts from the program's name without a script"] =
      [[P -e 'print(arg[0] ~= nil, arg[1], arg[2] ~= nil, arg[3])']],
    ["takes the script's arguments from a changed arg"] = [[P -e 'arg = { "other" }' dots.lua a]],
    ["refuses an arg that is no table"] = [[P -e 'arg = 1' script.lua]],
    ["reads a script from standard input"] = { "P", "print(..., arg[0] ~= nil, arg[1])" },
    ["reads a script from standard input with arguments"] = { "P - a b", "print(...) print(arg[0])" },
    ["takes - after -- for a file"] = { "echo \"print 'a file'\" >- && P -- -", "print 'standard input'" },
    ["ends its options at --"] = [[P -W -- script.lua -v]],
    ["reads standard input when nothing follows --"] = { "P --", "print 'standard input'" },
    ["skips a #! line"] = [[P hash_bang.lua a]],
    ["skips a #! line of standard input"] = { "P", "#! anything\nprint(debug.getinfo(1).currentline)" },
    ["runs a compiled script"] = [[P -e 'io.open("dots.out", "w"):write(string.dump(loadfile "dots.lua")):close()' &&
      P dots.out a]],
    ["runs LUA_INIT first"] = [[LUA_INIT='print(0)' P -e 'print(1)']],
    ["runs the file that LUA_INIT names"] = [[LUA_INIT=@dots.lua P -e 'print(1)']],
    ["prefers LUA_INIT_5_4"] = [[LUA_INIT='print(0)' LUA_INIT_5_4='print(54)' P -e 'print(1)']],
    ["stops when LUA_INIT fails"] = [[LUA_INIT='error "no"' P -e 'print(1)']],
    ["stops when LUA_INIT names a missing file"] = [[LUA_INIT=@missing.lua P -e 'print(1)']],
    ["ignores LUA_INIT under -E"] = [[LUA_INIT='print(0)' P -E -e 'print(1)']],
    ["heeds LUA_PATH"] = [[LUA_PATH='/there/?.lua' P -e 'print(package.path:match "/there/")']],
    ["ignores LUA_PATH under -E"] = [[LUA_PATH='/there/?.lua' P -E -e 'print(package.path:match "/there/")']],
    ["keeps warnings off"] = [[P -e 'warn "careful"']],
    ["turns warnings on with -W"] = [[P -W -e 'warn "careful"']],
    ["turns warnings on and off from a script"] =
      [[P -e 'warn "@on" warn("care", "ful") warn "@off" warn "reckless"']],
    ["shows an error's text"] = [[P -e 'error "no"']],
    ["shows an error's text without its position"] = [[P -e 'error("no", 0)']],
    ["shows an error object by its __tostring"] =
      [[P -e 'error(setmetatable({}, { __tostring = function() return "a reason" end }))']],
    ["shows an error object without __tostring by its type"] = [[P -e 'error {}']],
    ["shows an error that is nil"] = [[P -e 'error()']],
    ["shows an error that is a number"] = [[P -e 'error(42)']],
    ["survives an error in the error's __tostring"] =
      [[P -e 'error(setmetatable({}, { __tostring = function() error "again" end }))' 2>/dev/null]],
    ["ends with the status given to os.exit"] = [[P -e 'os.exit(3)']],
    ["closes the state for os.exit when told"] =
      [[P -e 'local _ <close> = setmetatable({}, { __close = function() print "closed" end }) os.exit(3, true)']],
    ["ends with 0 for os.exit(true)"] = [[P -e 'os.exit(true)']],
    ["ends with 1 for os.exit(false)"] = [[P -e 'os.exit(false)']],
    ["collects what is left at the end"] =
      [[P -e 'setmetatable({}, { __gc = function() print "collected" end })']],
    ["collects generation by generation"] = [[P -e 'print(collectgarbage "incremental")']],
    ["has the stock globals"] = [[P -e 'local names = {}
      for name in pairs(_G) do names[#names + 1] = name end
      table.sort(names) print(table.concat(names, " "))']],
    ["ends with 1 at a stack overflow"] = [[P -e 'local function f() return 1 + f() end f()']],
  }

  setup(function()
    write_file("script.lua", [[
      print(#arg, select("#", ...), ...)
      for i = -1, -9, -1 do if arg[i - 1] then print(i, arg[i]) end end
      print(arg[0])]])
    write_file("dots.lua", "print(...)")
    write_file("helper.lua", "return { name = ... }")
    write_file("hash_bang.lua", "#!/usr/bin/env lunet\nprint(debug.getinfo(1).currentline, ...)")
  end)

  local names = {}
  for name in pairs(same) do names[#names + 1] = name end
  table.sort(names)

  for _, name in ipairs(names) do
    local command, input = same[name], nil
    if type(command) == "table" then command, input = command[1], command[2] end

    local function run_as(program)
      local result = shell(command:gsub("%f[%w]P%f[ %z]", program), input)
      local complaint = result.errors:match "^[^\n]*"
      return {
        status = result.status,
        output = result.output,
        complaint = complaint:gsub("^" .. stock:gsub("%p", "%%%0") .. ": ", "lunet: "),
      }
    end

    it(name .. ", as the stock interpreter does", function()
      assert.same(run_as(stock), run_as(lunet))
    end)
  end

  it("is what a #! line can name", function()
    write_file("executable", "#!" .. lunet .. "\nprint(arg[0], ...)")
    local result = shell "chmod +x executable && ./executable a b"
    assert.same({ status = 0, output = "./executable\ta\tb\n", errors = "" }, result)
  end)

  it("shows a traceback of a failed script", function()
    write_file("failing.lua", "local function inner() error 'no' end\ninner()")
    local errors = run "failing.lua".errors
    assert.match("^lunet: failing.lua:1: no\nstack traceback:\n", errors)
    assert.match("failing.lua:2: in main chunk", errors)
  end)
end)

describe("lunet's own command line", function()
  for _, option in ipairs { "--version", "-v" } do
    it("names lunet, Lua, libuv and the kernel in one line for " .. option, function()
      local result = run(option, "print 'not me'")
      assert.match("^lunet %d+%.%d+%.%d+%S*, Lua 5%.4%.%d+, libuv 1%.%d+%.%d+%S*, (%S+) (%S+)\n$", result.output)
      local kernel = first_line "uname -sr"
      assert.equal(kernel, result.output:match ", ([^,]+)\n$")
      assert.same({ 0, "" }, { result.status, result.errors })
    end)
  end

  for _, option in ipairs { "--help", "-h" } do
    it("explains itself on standard output for " .. option, function()
      local result = run(option)
      assert.same({ 0, "" }, { result.status, result.errors })
      assert.match("^usage: lunet ", result.output)
      assert.match("lunet FILE --help", result.output, 1, true)
    end)
  end

  local misuses = {
    { "-x", "lunet: unrecognized option '-x'" },
    { "-vx", "lunet: unrecognized option '-vx'" },
    { "-Wx", "lunet: unrecognized option '-Wx'" },
    { "--verbose", "lunet: unrecognized option '--verbose'" },
    { "-e", "lunet: '-e' needs an argument" },
    { "-e -v", "lunet: '-e' needs an argument" },
    { "-l", "lunet: '-l' needs an argument" },
    { "-e 'print(1)' -x", "lunet: unrecognized option '-x'" },
    { "'-\27[31m\n\u{9b}'", "lunet: unrecognized option '-\\x1b[31m\\x0a\\xc2\\x9b'" },
  }
  for _, case in ipairs(misuses) do
    it("refuses " .. case[1] .. " with status 2 before anything runs", function()
      local result = run(case[1])
      assert.same({ 2, "" }, { result.status, result.output })
      assert.equal(case[2], result.errors:match "^[^\n]*")
      assert.match("\nusage: lunet ", result.errors)
    end)
  end

  it("says in one line that a script is missing, with status 2", function()
    assert.same({ status = 2, output = "", errors = "lunet: cannot open missing.lua: No such file or directory\n" },
      run "missing.lua")
  end)

  it("says in one line that a script cannot be read, with status 2", function()
    assert.same({ status = 2, output = "", errors = "lunet: cannot read /proc/self/mem: Input/output error\n" },
      run "/proc/self/mem")
  end)

  it("raises its soft limit of descriptors to the hard one", function()
    local result = shell("ulimit -Sn 100 && ulimit -Hn && " .. lunet .. " -e 'os.execute \"ulimit -Sn\"'")
    local hard, soft = result.output:match "^(%S+)\n(%S+)\n$"
    assert.is_string(hard)
    assert.equal(hard, soft)
  end)
end)

describe("lunet's prompt", function()
  -- What the prompt prints for these lines, without the version line before and the newline after.
  local function session(...)
    local result = run("-i", table.concat({ ... }, "\n") .. "\n")
    assert.equal(0, result.status)
    local version, output = result.output:match "^([^\n]*\n)(.*)\n$"
    assert.match("^lunet ", version)
    return output, result.errors
  end

  it("prints the values of expressions", function()
    assert.equal("> 2\n> > 1\tnil\tx\n> ", session("1 + 1", "local unused", "1, nil, 'x'"))
  end)

  it("prints the value after an equals sign", function()
    assert.equal("> 2\n> ", session "=1 + 1")
  end)

  it("prints with the global print", function()
    assert.equal("> > <2>\n> ", session("function print(x) io.write('<', x, '>\\n') end", "1 + 1"))
  end)

  it("says so when the global print fails", function()
    local _, errors = session("print = error", "'broken'")
    assert.equal("error calling 'print' (broken)\n", errors)
  end)

  it("waits for the rest of an incomplete statement", function()
    assert.equal("> >> >> 1\n2\n> ", session("for i = 1, 2 do", "print(i)", "end"))
  end)

  it("waits for the rest of an incomplete expression", function()
    assert.equal("> >> 3\n> ", session("=1 +", "2"))
  end)

  it("reports a statement that the input leaves incomplete", function()
    local output, errors = session "local function f("
    assert.equal("> >> > ", output)
    assert.match("^stdin:1: .* near <eof>\n$", errors)
  end)

  it("takes lines of any length", function()
    assert.equal("> 100000\n> ", session("#'" .. ("x"):rep(100000) .. "'"))
  end)

  it("goes on after an error and shows it without the program's name", function()
    local output, errors = session("error 'no'", "1")
    assert.equal("> > 1\n> ", output)
    assert.match("^stdin:1: no\nstack traceback:\n", errors)
  end)

  it("shows the chosen prompts", function()
    assert.equal("> a> a> b> 3\na> ", session("_PROMPT = 'a> '", "_PROMPT2 = 'b> '", "=1 +", "2"))
  end)

  it("takes a prompt's text from __tostring", function()
    assert.equal("> now> ",
      session "_PROMPT = setmetatable({}, { __tostring = function() return 'now> ' end })")
  end)

  it("follows a script and knows its globals", function()
    write_file("globals.lua", "x = ...")
    local result = run("-i globals.lua 7", "x\n")
    assert.match("\n> 7\n> \n$", result.output)
  end)

  it("does not follow a script that failed", function()
    local result = run("-i -e 'error()'", "1\n")
    assert.equal(1, result.status)
    assert.not_match("> ", result.output, 1, true)
  end)

  it("lets calls wait", function()
    local output, errors = session("lunet = require 'lunet'", "lunet.sleep(0.001) print 'awake'")
    assert.same({ "> > awake\n> ", "" }, { output, errors })
  end)

  it("comes back when Ctrl-C interrupts a line", function()
    local output, errors = session(
      "process = io.open('/proc/self/stat'):read 'n'",
      "io.popen('kill -INT ' .. process):close() while true do end",
      "'still here'")
    assert.equal("> > > still here\n> ", output)
    assert.match("interrupted!", errors)
  end)

  it("comes by itself on a terminal, after the versions", function()
    local result = shell(
      "TERM=dumb script -qec " .. quote(lunet) .. " /dev/null", "=3 *\n7\nos.exit(5)\n")
    assert.equal(5, result.status)
    assert.match("lunet %d", result.output)
    assert.match("\n21\r\n", result.output)
  end)
end)

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
    assert(os.execute("mkdir " .. scratch .. "/specs"))
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
