local program = require "spec.support.program"
local standard = require "lunet.command.standard"
local written_by = require "spec.support.written_by"

describe("the output of a command", function()
  it("has complaints on standard error, without control characters", function()
    assert.equal("lunet: one\\x1btwo\n", written_by(function() standard.complain "one\27two" end))
  end)

  it("goes to standard output, even if a script has replaced io.stdout", function()
    local result = program.lunet [[
      local standard = require "lunet.command.standard"
      io.stdout, print = nil, nil
      assert(standard.print "said")]]
    assert.same({ 0, "said\n", "" }, { result.status, result.output, result.errors })
  end)

  it("says why it could not", function()
    local result = program.shell(([[exec %s -e 'io.stderr:write(tostring(select(2,
      require("lunet.command.standard").print "x")))' >/dev/full]]):format(os.getenv "LUNET"))
    assert.matches("No space left", result.errors)
  end)
end)
