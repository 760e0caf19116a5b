-- That the generator makes a sweep as lunet does. How fast lunet is with it is nobody's promise.
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

describe("bench/records/make.lua", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  local function lunet(words)
    return program.shell(("%s %s"):format(program.quote(os.getenv "LUNET"), words))
  end

  it("makes a sweep that lunet goes on with", function()
    local out = place.path .. "/out"
    local made = lunet("bench/records/make.lua " .. out .. " 200")
    assert.same({ 0, "200 records in " .. out .. "\n" }, { made.status, made.output })
    assert.equal("experiment: 200 of 200 runs done: 200 hold, 0 do not; 0 invalid, 0 failed, 0 missing.\n",
      lunet("sweep --status " .. out).output)
    local name = lunet("sweep --list " .. out).output
    assert.equal("", name)
    local file = io.popen(("ls %s/runs | head -1"):format(out)):read "l"
    assert(os.remove(("%s/runs/%s"):format(out, file)))
    local resumed = lunet(("sweep bench/records/experiment.lua --backlog 1,2 --runs 100 --into %s"):format(out))
    assert.equal(0, resumed.status, resumed.errors)
    assert.matches("200 of 200 runs done: 200 hold", resumed.output, 1, true)
    assert.equal(201, select(2, place:read "out/results.csv":gsub("\n", "")))
  end)

  it("refuses a count that is no multiple of the runs of a point", function()
    for _, words in ipairs { "", "out", "out 150", "out 0", "out x" } do
      local refused = lunet("bench/records/make.lua " .. words)
      assert.equal(2, refused.status)
      assert.matches("^usage: lunet bench/records/make.lua DIR COUNT", refused.errors)
    end
  end)
end)
