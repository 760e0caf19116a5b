local program = require "spec.support.program"

-- Runs a spec with the helper, in a busted of its own.
local function run(body)
  local unique = os.tmpname()
  local name = unique .. "_spec.lua" -- what busted takes for a spec
  local file = assert(io.open(name, "w"))
  assert(file:write("local lunet = require 'lunet'\nit('is run', function() " .. body .. " end)\n"))
  assert(file:close())
  local result = program.shell(("exec %s /usr/bin/busted --ignore-lua -o TAP %s"):format(os.getenv "LUNET", name))
  os.remove(name)
  os.remove(unique)
  return result, name
end

describe("a spec file", function()
  it("fails if it ends with open handles, which are named", function()
    local result, name = run "assert(lunet.host 'left')"
    assert.not_equal(0, result.status)
    assert.matches(name .. " leaves open: host left", result.output, 1, true)
  end)

  it("passes if it has closed them", function()
    local result = run "local _ <close> = assert(lunet.host())"
    assert.equal(0, result.status, result.output .. result.errors)
  end)
end)
