local value = require "lunet.text.value"

-- show is told by what the story prints of an outcome: spec/tell/story_spec.lua.
describe("a number in a table", function()
  it("has four significant digits, or all before its point", function()
    local shown = {
      [0.0123456] = "0.01235", [1.5] = "1.5", [999.99] = "1000", [9999.4] = "9999", [9999.5] = "10000",
      [123456.7] = "123457", [-98765.4] = "-98765", [1e30] = "1e+30", [math.huge] = "inf",
    }
    for number, text in pairs(shown) do assert.equal(text, value.round(number)) end
  end)

  it("is whole if it was", function()
    assert.equal("123456789012", value.round(123456789012))
    assert.equal(tostring(math.mininteger), value.round(math.mininteger))
  end)
end)

describe("a list", function()
  it("has a value at every index from 1 on, and no other key", function()
    for _, list in ipairs { {}, { 1 }, { "a", false, {} } } do assert.is_true(value.is_list(list)) end
    for _, other in ipairs { { a = 1 }, { 1, a = 1 }, { [2] = 1 }, { [0] = 1 }, { [1.5] = 1 }, { 1, nil, 3 } } do
      assert.is_false(value.is_list(other))
    end
  end)
end)

describe("the keys of a table", function()
  it("are in order, numbers first", function()
    assert.same({ 1, 2, 10, "a", "b" }, value.sorted_keys { b = 1, [10] = 1, "x", "y", a = 1 })
  end)
end)
