local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

-- Runs a spec file with the helper, in a busted of its own. Returns the result, and the file's path.
local function run(text)
  local place <close> = scratch.open()
  local path = place:write("some_spec.lua", "local lunet = require 'lunet'\n" .. text)
  return program.shell(('exec "$LUNET" %s --ignore-lua -o TAP %s'):format("/usr/bin/busted", path)), path
end

describe("a spec file", function()
  it("fails if it ends with open handles, which are named", function()
    local result, path = run "it('leaks', function() assert(lunet.host 'left') end)"
    assert.not_equal(0, result.status)
    assert.matches(path .. " leaves open: host left", result.output, 1, true)
  end)

  it("passes if it has closed them", function()
    local result = run "it('closes', function() local _ <close> = assert(lunet.host()) end)"
    assert.equal(0, result.status, result.output .. result.errors)
  end)

  it("has one failure for a spec that fails with open handles, and keeps those of its setup open", function()
    local result = run [[
      local host
      setup(function() host = assert(lunet.host "kept") end)
      teardown(function() host:close() end)
      local function check() assert.same({ "host kept" }, lunet.open_handles()) end
      after_each(check)
      it("fails", function()
        local listener = assert(host:listen { backlog = 1 })
        assert(host:connect(listener))
        assert(lunet.exec { "sleep", "1000" })
        error "boom"
      end)
      it("passes", check)
      it("passes, too", check)
    ]]
    assert.equal(1, select(2, result.output:gsub("not ok ", "")), result.output .. result.errors)
    assert.matches("boom", result.output)
    assert.not_matches("leaves open", result.output)
    assert.equal(2, select(2, result.output:gsub("%f[%a]ok %d+ %- passes", "")), result.output)
  end)
end)
