-- The options of the program's own command line. spec/main_spec.lua compares the others with those of the stock
-- interpreter.
local interpreter = require "spec.support.interpreter"

local run = interpreter.run

setup(interpreter.open)
teardown(interpreter.close)

describe("lunet's own command line", function()
  for _, option in ipairs { "--version", "-v" } do
    it("names lunet, Lua, libuv and the kernel in one line for " .. option, function()
      local result = run(option, "print 'not me'")
      assert.match("^lunet %d+%.%d+%.%d+%S*, Lua 5%.4%.%d+, libuv 1%.%d+%.%d+%S*, (%S+) (%S+)\n$", result.output)
      local kernel = interpreter.shell("uname -sr").output:match "[^\n]*"
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
end)
