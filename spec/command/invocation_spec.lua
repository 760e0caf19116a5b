local invocation = require "lunet.command.invocation"
local program = require "spec.support.program"

local LUNET <const> = program.quote(os.getenv "LUNET")

describe("how lunet was called", function()
  local function words_of(options)
    return program.shell(("exec %s %s -l invocation=lunet.command.invocation -e %s -"
      .. " </dev/null"):format(LUNET, options, program.quote "print(table.concat(invocation.words(), '|'))")).output
  end

  it("is known by its words, without those that print a version", function()
    local rest = "|-l|invocation=lunet.command.invocation|-e|print(table.concat(invocation.words(), '|'))"
    local lunet = os.getenv "LUNET"
    assert.equal(lunet .. "|-E" .. rest .. "\n", words_of "-E")
    assert.equal(lunet .. rest .. "\n", (words_of "-v":gsub("^[^\n]*\n", "")))
  end)
end)

describe("the word for lunet", function()
  it("means the same in every directory", function()
    local folder, name = os.getenv "LUNET":match "^(.*)/([^/]+)$"
    local script = program.quote "print(require 'lunet.command.invocation'.words()[1])"
    assert.equal(("%s/./%s\n"):format(folder, name),
      program.shell(("cd %s && exec ./%s -e %s -"):format(program.quote(folder), name, script)).output)
    assert.equal(name .. "\n",
      program.shell(("PATH=%s:$PATH && exec %s -e %s -"):format(program.quote(folder), name, script)).output)
  end)
end)

describe("a negative value", function()
  it("is joined to its option, and nothing else is", function()
    assert.same({ "--backlog=-1", "--seed=-.5", "--rate=-inf", "--json", "--mode", "-x", "-1" },
      invocation.join_negative_values { "--backlog", "-1", "--seed", "-.5", "--rate", "-inf", "--json", "--mode", "-x",
        "-1" })
  end)
end)
