local readable = require "lunet.text.readable"

describe("a table as a person reads it", function()
  local function shows(wanted, any)
    assert.equal(wanted, readable.table(any))
  end

  it("is a line if that has at most 80 columns", function()
    shows("{}", {})
    shows('{ 1, "two", { 3 }, ["a b"] = true, n = 4.5 }', { 1, "two", { 3 }, n = 4.5, ["a b"] = true })
    shows("{ [2] = 1, [4] = 1, [true] = 1 }", { [2] = 1, [4] = 1, [true] = 1 })
    local longest = ("x"):rep(74)
    shows('{ "' .. longest .. '" }', { longest })
  end)

  it("has a line for each entry if not", function()
    local text = ("x"):rep(38)
    shows('{\n  "' .. text .. '",\n  n = { { 1 } },\n  t = "' .. text .. '"\n}', { text, n = { { 1 } }, t = text })
    shows('{\n  {\n    "' .. text .. '",\n    "' .. text .. '"\n  }\n}', { { text, text } })
  end)

  it("says where it contains itself, and shows twice what is there twice", function()
    local itself = { 1 }
    itself.t = itself
    shows("{ 1, t = (itself) }", itself)
    local twice = { 1 }
    shows("{ { 1 }, { 1 } }", { twice, twice })
  end)

  it("leaves out what is deep, long or much", function()
    shows("{ { { { { { { ... } } } } } } }", { { { { { { { { 1 } } } } } } } })
    local text = ("x"):rep(200)
    shows(('{\n  "%s"... (201 bytes)\n}'):format(text), { text .. "x" })
    local many = {}
    for i = 1, 102 do many[i] = i end
    assert.matches(" 100,\n  %.%.%. and 2 more\n}$", readable.table(many))
  end)

  it("shows control characters as escapes", function()
    shows('{ "a\\n\\x1b" }', { "a\n\27" })
  end)

  it("calls no metamethod that reads, and leaves alone what is shown otherwise", function()
    local deaf = setmetatable({ 1 }, { __index = error, __pairs = error, __len = error })
    shows("{ 1 }", deaf)
    local named = setmetatable({}, { __tostring = function() return "named" end })
    assert.equal(named, readable.table(named))
    assert.equal("{ named }", readable.table { named })
    for _, any in ipairs { "x", 1, true, print, io.stdout } do assert.equal(any, readable.table(any)) end
    assert.is_nil(readable.table(nil))
  end)
end)
