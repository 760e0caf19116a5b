-- The program `lunet` as its user meets it: every case starts a real process.
local interpreter = require "spec.support.interpreter"

local lunet = interpreter.lunet
local stock = interpreter.stock
local shell = interpreter.shell
local run = interpreter.run
local write_file = interpreter.write_file

setup(interpreter.open)
teardown(interpreter.close)

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

describe("the program", function()
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
