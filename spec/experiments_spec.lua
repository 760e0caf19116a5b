-- The standard that every experiment is held to. None is run here: each has a spec of its own for that.
local catalogue = require "lunet.catalogue"

local entries, others = assert(catalogue.load "experiments")

local function page()
  local file <close> = assert(io.open "experiments/README.md")
  return file:read "a"
end

describe("experiments/", function()
  it("holds experiments, and no other Lua files", function()
    assert.is_true(#entries > 0)
    assert.same({}, others)
  end)

  -- script/run experiments/ --markdown makes it.
  it("has a README.md that lists all of them, with their claims, and no others", function()
    local listed, declared = {}, {}
    for name, file, claim in page():gmatch "\n| %[(.-)%]%((.-)%) | (.-) | [^|]* | [^|]* |" do
      listed[name .. " in " .. file] = claim:gsub("\\|", "|")
    end
    for _, entry in ipairs(entries) do
      local claim = entry.experiment and entry.experiment.claim or ""
      declared[("%s in %s.lua"):format(entry.name, entry.name)] = claim:gsub("%s+", " ")
    end
    assert.same(declared, listed)
  end)
end)

for _, entry in ipairs(entries) do
  describe("the experiment " .. entry.name, function()
    it("can be loaded", function() assert.is_nil(entry.why) end)
    if not entry.experiment then return end

    it("has a claim of one sentence", function()
      assert.match("^%S.*%.$", entry.experiment.claim)
      assert.not_match("[.!?] %u", entry.experiment.claim)
    end)

    it("has a control: knobs with which its claim is false", function()
      assert.is_table(entry.experiment.control)
      assert.is_not_nil(next(entry.experiment.control))
    end)

    it("has figures", function() assert.is_function(entry.experiment.figures) end)

    it("has a spec", function()
      local spec = io.open(("spec/experiments/%s_spec.lua"):format(entry.name))
      assert.is_not_nil(spec)
      spec:close()
    end)

    it("says at its head what is observed and why", function()
      local file <close> = assert(io.open(entry.file))
      local head = file:read "a":match "^(.-)\n[^%-]"
      assert.match("^%-%- %S", head)
      assert.match("\n%-%- Why[: ]", head)
    end)
  end)
end
