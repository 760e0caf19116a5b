-- spec/kernels/lacking.lua, by which specs under another kernel leave out what that kernel was built without.
local scratch = require "lunet.peer.scratch"
local program = require "spec.support.program"
local shell = require "lunet.text.shell"

local SPEC <const> = [[
describe("a rule", function()
  it("works", function() end)
  it("is missing", function() error "drop: this Linux is without inet, which it has with CONFIG_NF_TABLES_INET" end)
  it("is missing, when something is open", function()
    require("lunet").listen { backlog = 1 }
    error "destroy: this kernel was built without CONFIG_INET_DIAG_DESTROY"
  end)
  it("is missing, as an assertion says", function() assert(nil, "MPTCP: CONFIG_MPTCP is not set") end)
  it("is pending", function() pending "nobody may use bbr" end)
  it("fails", function() assert.equal(1, 2) end)
end)
describe("a spec after one that was left out", function()
  it("is run, and nothing is left open", function() assert.same({}, require("lunet").open_handles()) end)
end)
]]

describe("the helper of specs under another kernel", function()
  it("leaves out the specs that meet a part which the kernel lacks, and no other failure", function()
    local place <close> = scratch.open()
    local ran = program.shell(shell.line { os.getenv "LUNET", arg[0], "--ignore-lua", "--output=plainTerminal",
      "--helper=spec/kernels/lacking.lua", place:write("one_spec.lua", SPEC) } .. " 2>&1")
    assert.matches("6 successes / 1 failure / 0 errors / 0 pending", ran.output, 1, true)
    assert.matches("Failure %-> .*\na rule fails", ran.output)
    assert.matches("left out (1): CONFIG_NF_TABLES_INET", ran.output, 1, true)
    assert.matches("left out (1): nobody may use bbr", ran.output, 1, true)
    assert.matches("left out (1): CONFIG_MPTCP", ran.output, 1, true)
    assert.matches("left out (1): CONFIG_INET_DIAG_DESTROY", ran.output, 1, true)
    assert.equal(1, ran.status)
  end)
end)
