local lunet = require "lunet"
local prompt = require "lunet.command.prompt"

-- A real prompt shows both in spec/prompt_spec.lua.
describe("the prompt", function()
  local place

  before_each(function()
    place = { listener = assert(lunet.listen { backlog = 1 }), process = assert(lunet.exec { "true" }),
      lunet = lunet, text = "x", number = 1, deep = { inside = { name = 1, other = 2 } },
      deaf = setmetatable({ near = 1 }, { __index = setmetatable({ need = print }, { __index = error }) }) }
    rawset(_G, "spec_place", place)
  end)

  after_each(function()
    rawset(_G, "spec_place", nil)
    place.listener:close()
    place.process:close()
    assert.same({}, lunet.open_handles())
  end)

  local cases = {
    ["spec_pl"] = { "spec_place" },
    ["whi"] = { "while" },
    ["spec_place.li"] = { "spec_place.listener" },
    ["spec_place.lunet.be"] = { "spec_place.lunet.beside" },
    ["spec_place.listener:a"] = { "spec_place.listener:accept", "spec_place.listener:address" },
    ["spec_place.process:th"] = { "spec_place.process:thaw" },
    ["spec_place.text:forma"] = { "spec_place.text:format" },
    ["spec_place.deep.inside."] = { "spec_place.deep.inside.name", "spec_place.deep.inside.other" },
    ["spec_place.deep.inside:"] = {},
    ["spec_place.deaf.ne"] = { "spec_place.deaf.near", "spec_place.deaf.need" },
    ["spec_place.deaf:ne"] = { "spec_place.deaf:need" },
    ["spec_place.number."] = {},
    ["spec_place.nothing.at"] = {},
    ["nothing_at_all."] = {},
    ["1.5"] = {},
    ["?"] = {},
  }
  for word, wanted in pairs(cases) do
    it(("completes %s to %d words"):format(word, #wanted), function()
      assert.same(wanted, prompt.completions(word))
    end)
  end

  it("completes nothing to all globals and keywords", function()
    local all = prompt.completions ""
    assert.is_true(#all > 40)
    assert.equal("_G", all[1])
  end)

  it("prints each plain table of several values", function()
    assert.same({ n = 4, "{ 1 }", nil, "x", "{}" }, table.pack(prompt.shown({ 1 }, nil, "x", {})))
    assert.same({ n = 0 }, table.pack(prompt.shown()))
  end)
end)
