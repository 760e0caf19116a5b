-- The program `lunet` as its user meets it: every case starts a real process.
local interpreter = require "spec.support.interpreter"
local quote = require("spec.support.program").quote

local lunet = interpreter.lunet
local shell = interpreter.shell
local run = interpreter.run
local write_file = interpreter.write_file

setup(interpreter.open)
teardown(interpreter.close)

describe("lunet's prompt", function()
  -- The output of the prompt for these lines, without the version line before and the newline after.
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

  it("prints tables readably", function()
    assert.equal('> { 1, { n = "x" } }\t{}\t3\n> ', session "{ 1, { n = 'x' } }, {}, 3")
    assert.equal("> > <{ 1 }>\n> ", session("function print(x) io.write('<', x, '>\\n') end", "{ 1 }"))
    local wide = "{ " .. ("'" .. ("x"):rep(30) .. "', "):rep(3) .. "}"
    local entry = '  "' .. ("x"):rep(30) .. '"'
    assert.equal(("> {\n%s,\n%s,\n%s\n}\n> "):format(entry, entry, entry), session(wide))
  end)

  it("prints a table that says by itself how", function()
    assert.equal("> now\n> ", session "setmetatable({}, { __tostring = function() return 'now' end })")
  end)

  it("prints tables as Lua does if its library is broken", function()
    local output = session("package.loaded['lunet.text.readable'] = {}", "{}")
    assert.match("^> > table: 0x%x+\n> $", output)
  end)

  -- A terminal of `script` with a tab in what is typed.
  local function typed(...)
    local lines = table.concat({ ... }, "\n") .. "\nos.exit(5)\n"
    return shell("TERM=dumb script -qec " .. quote(lunet) .. " /dev/null", lines)
  end

  it("completes names on a terminal", function()
    local result = typed("lunet = require 'lunet'", "listener = lunet.listen { backlog = 1 }",
      "print(lunet.besi\t == lunet.beside, 'named')", "print(listener:que\t().limit, 'asked')",
      "print(nothing.is.known.of.th\tis)", "print(rawequ\t(1, 1), 'global')")
    assert.equal(5, result.status)
    assert.match("\ntrue\tnamed\r\n", result.output)
    assert.match("\n1\tasked\r\n", result.output)
    assert.match("\ntrue\tglobal\r\n", result.output)
  end)

  it("comes by itself on a terminal, after the versions", function()
    local result = shell(
      "TERM=dumb script -qec " .. quote(lunet) .. " /dev/null", "=3 *\n7\nos.exit(5)\n")
    assert.equal(5, result.status)
    assert.match("lunet %d", result.output)
    assert.match("\n21\r\n", result.output)
  end)
end)
