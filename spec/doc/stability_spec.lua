-- doc/stability.md names what there is: modules, exit statuses, formats, files.
local library = require "spec.reference.library"
local program = require "spec.support.program"
local record = require "lunet.run.record"
local verdict = require "lunet.run.verdict"

local ROOT <const> = os.getenv "LUNET_SOURCE"

local function read(path)
  local file <close> = assert(io.open(ROOT .. "/" .. path))
  return file:read "a"
end

describe("the page about what is stable", function()
  local text = read "doc/stability.md"

  it("names the modules that the reference has, and lunet.busted, which is a helper without functions", function()
    local wanted = { ["lunet"] = true, ["lunet.busted"] = true }
    for _, about in ipairs(library.pages()) do wanted[about.module or "lunet"] = true end
    local named = {}
    for module in text:match "consists of these modules.-\n\n(.-)\n\n":gmatch "`([^`]+)`" do
      named[module] = true
      assert.is_true(pcall(require, module) or module == "lunet.busted", module)
    end
    assert.same(wanted, named)
  end)

  it("has the exit status of each verdict", function()
    for name, status in pairs(verdict.statuses) do
      assert.matches(("\n| %d | [^\n]*%s"):format(status, name), text)
    end
    assert.matches(("\n| %d | wrong use |"):format(verdict.WRONG_USE), text)
  end)

  it("has the numbers of the formats", function()
    assert.matches(('--json`), `"format": %d` | [record.schema.json]'):format(record.FORMAT), text, 1, true)
    local queues = program.shell(program.quote(os.getenv "LUNET") .. " queues --json").output
    assert.matches(('queues --json`), `"format": %s`'):format(queues:match '"format": ?(%d+)'), text, 1, true)
  end)

  it("leads to files that there are", function()
    local count = 0
    for path in text:gmatch "%]%(([^):]+)%)" do
      count = count + 1
      assert.is_string(read("doc/" .. path), path)
    end
    assert.is_true(count > 5)
  end)
end)
