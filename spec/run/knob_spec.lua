local knob = require "lunet.run.knob"
local program = require "spec.support.program"

local function declaration_error(name, declared)
  local ok, message = pcall(knob.new, name, declared)
  assert.is_false(ok)
  return message
end

local function refusal(k, value, method)
  local ok, message = pcall(k[method or "check"], k, value)
  assert.is_false(ok)
  return message
end

describe("a knob's declaration", function()
  it("gives the default, the unit and the meaning", function()
    local k = knob.new("backlog", { 5, "connections", "how many the kernel may queue", min = 0, max = 9 })
    assert.same({ "backlog", 5, "connections", "how many the kernel may queue", 0, 9 },
      { k.name, k.default, k.unit, k.meaning, k.min, k.max })
  end)

  for value, kind in pairs { [5] = "integer", [0.5] = "number", text = "string", [true] = "boolean" } do
    it(("makes a knob of default %s one of type %s"):format(value, kind), function()
      assert.equal(kind, knob.new("x", { value, "", "" }).type)
    end)
  end

  it("makes a knob of default 5.0 a number, not a whole one", function()
    assert.equal("number", knob.new("x", { 5.0, "s", "" }).type)
    assert.equal(0.25, knob.new("x", { 5.0, "s", "" }):check(0.25))
  end)

  it("names the knob by a word that can be an option", function()
    assert.equal("tcp_rmem2", knob.new("tcp_rmem2", { 1, "", "" }).name)
    for _, name in ipairs { "Backlog", "2nd", "_x", "back-log", "back log", "", "bäcklog" } do
      assert.equal(("knob %s: a knob's name is a word of small letters, digits and _"):format(name),
        declaration_error(name, { 1, "", "" }))
    end
    assert.match("^knob 1: a knob's name is a word", declaration_error(1, { 1, "", "" }))
  end)

  it("leaves the names of the options that every experiment has", function()
    for _, name in ipairs { "help", "json" } do
      assert.equal(("knob %s: the name is taken: --%s is an option of every experiment"):format(name, name),
        declaration_error(name, { 1, "", "" }))
    end
  end)

  it("is a table", function()
    assert.equal("knob x: declare it as {default, unit, meaning}", declaration_error("x", 5))
  end)

  it("has a unit and a meaning that are strings", function()
    for _, declared in ipairs { { 1 }, { 1, "s" }, { 1, nil, "m" }, { 1, 2, "m" }, { 1, "s", 3 } } do
      assert.equal("knob x: declare it as {default, unit, meaning}; unit and meaning are strings",
        declaration_error("x", declared))
    end
  end)

  it("has a default that is a number, a string or a boolean", function()
    assert.equal("knob x: the default is a number, a string or a boolean, not nil",
      declaration_error("x", { nil, "s", "m" }))
    assert.equal("knob x: the default is a number, a string or a boolean, not function",
      declaration_error("x", { print, "s", "m" }))
  end)

  it("may have a default that is a list of numbers or of strings", function()
    for _, default in ipairs { {}, { true }, { {} }, { print }, { n = 1 } } do
      assert.equal("knob x: a list as the default has numbers or strings, 1 or more",
        declaration_error("x", { default, "s", "m" }))
    end
    assert.match('^knob x: 1,"a" is not allowed; it is whole numbers, ',
      declaration_error("x", { { 1, "a" }, "", "m" }))
  end)

  it("has no other fields than min, max, choices and whole", function()
    assert.equal("knob x: unknown field 'minimum' (known: min, max, choices, whole)",
      declaration_error("x", { 1, "s", "m", minimum = 0 }))
    assert.equal("knob x: unknown field '4' (known: min, max, choices, whole)",
      declaration_error("x", { 1, "s", "m", "more" }))
  end)

  it("has bounds that are numbers, for a knob that is one", function()
    for field, declared in pairs {
      min = { 1, "s", "m", min = "0" },
      max = { 1, "s", "m", max = {} },
    } do
      assert.equal(("knob x: %s is a number, and only for a number"):format(field), declaration_error("x", declared))
    end
    assert.match("^knob x: min is a number", declaration_error("x", { 1, "s", "m", min = 0 / 0 }))
    assert.match("^knob x: max is a number", declaration_error("x", { "text", "", "m", max = 9 }))
    assert.match("^knob x: min is a number", declaration_error("x", { true, "", "m", min = 0 }))
  end)

  it("has choices that are a list with something in it", function()
    for _, choices in ipairs { "fast", {}, { fast = true } } do
      assert.equal("knob x: choices is a list of the allowed values",
        declaration_error("x", { "fast", "", "m", choices = choices }))
    end
  end)

  it("has a default that the knob itself allows", function()
    assert.equal("knob x: 1 is not allowed; it is a whole number, 2 or more (lines)",
      declaration_error("x", { 1, "lines", "m", min = 2 }))
    assert.equal('knob x: "slow" is not allowed; it is one of fast, faster ()',
      declaration_error("x", { "slow", "", "m", choices = { "fast", "faster" } }))
    assert.match("is not allowed; it is a number %(s%)$", declaration_error("x", { 0 / 0, "s", "m" }))
  end)
end)

describe("a knob that is a whole number", function()
  local k = knob.new("backlog", { 5, "connections", "m", min = -2, max = 10 })
  local allowed = " is not allowed; it is a whole number from -2 to 10 (connections)"

  it("takes whole numbers within its bounds, the bounds among them", function()
    for _, value in ipairs { -2, -1, 0, 5, 10 } do assert.equal(value, k:check(value)) end
  end)

  it("takes a float that is whole, as an integer", function()
    for _, value in ipairs { 5.0, -2.0, 10.0, -0.0 } do
      assert.equal("integer", math.type(k:check(value)))
      assert.equal(math.tointeger(value), k:check(value))
    end
  end)

  it("refuses a part of a number", function()
    assert.equal("knob backlog: 5.5" .. allowed, refusal(k, 5.5))
  end)

  it("refuses what is out of its bounds", function()
    assert.equal("knob backlog: -3" .. allowed, refusal(k, -3))
    assert.equal("knob backlog: 11" .. allowed, refusal(k, 11))
    assert.equal("knob backlog: 11.0" .. allowed, refusal(k, 11.0))
  end)

  it("refuses infinities, NaN, and numbers beyond the integers, though it has no bounds", function()
    local unbounded = knob.new("n", { 1, "lines", "m" })
    for _, value in ipairs { math.huge, -math.huge, 0 / 0, 2.0 ^ 63, 1e300 } do
      assert.equal(("knob n: %s is not allowed; it is a whole number (lines)"):format(value), refusal(unbounded, value))
    end
    assert.equal(math.mininteger, unbounded:check(-2.0 ^ 63))
  end)

  it("refuses what is no number", function()
    assert.equal('knob backlog: "5"' .. allowed, refusal(k, "5"))
    assert.equal("knob backlog: true" .. allowed, refusal(k, true))
    assert.match("^knob backlog: table: 0x%x+ is not allowed; ", refusal(k, {}))
    assert.equal("knob backlog: nil" .. allowed, refusal(k, nil))
  end)

  it("says which bound it has", function()
    assert.equal("a whole number, 1 or more", knob.new("n", { 1, "", "", min = 1 }):allowed())
    assert.equal("a whole number, 1 or less", knob.new("n", { 1, "", "", max = 1 }):allowed())
    assert.equal("a whole number from 1 to 1", knob.new("n", { 1, "", "", min = 1, max = 1 }):allowed())
    assert.equal("a whole number", knob.new("n", { 1, "", "" }):allowed())
  end)
end)

describe("a knob that is a number", function()
  local k = knob.new("patience", { 0.2, "s", "m", min = 0 })
  local allowed = " is not allowed; it is a number, 0 or more (s)"

  it("takes floats and whole numbers", function()
    for _, value in ipairs { 0, 0.0, 1, 0.001, 1e9, math.huge } do assert.equal(value, k:check(value)) end
  end)

  it("refuses negative numbers, however small", function()
    assert.equal("knob patience: -0.5" .. allowed, refusal(k, -0.5))
    assert.equal("knob patience: -1e-300" .. allowed, refusal(k, -1e-300))
    assert.equal("knob patience: -inf" .. allowed, refusal(k, -math.huge))
  end)

  it("refuses NaN", function()
    assert.match("^knob patience: %-?nan is not allowed; it is a number, 0 or more %(s%)$", refusal(k, 0 / 0))
  end)

  it("refuses what is no number", function()
    assert.equal('knob patience: "0.2"' .. allowed, refusal(k, "0.2"))
    assert.equal("knob patience: false" .. allowed, refusal(k, false))
  end)
end)

describe("a knob that is a boolean", function()
  local k = knob.new("is_shut", { true, "", "m" })

  it("takes true and false and nothing else", function()
    assert.is_true(k:check(true))
    assert.is_false(k:check(false))
    for _, value in ipairs { 1, 0, "true", {} } do
      assert.match("^knob is_shut: .* is not allowed; it is true or false %(%)$", refusal(k, value))
    end
  end)
end)

describe("a knob that is a string", function()
  local k = knob.new("path", { "/", "path", "m" })

  it("takes strings and nothing else", function()
    assert.equal("", k:check "")
    assert.equal("a\0b", k:check "a\0b")
    assert.equal("knob path: 5 is not allowed; it is a string (path)", refusal(k, 5))
  end)
end)

describe("a knob with choices", function()
  it("takes one of them", function()
    local k = knob.new("mode", { "fast", "", "m", choices = { "slow", "fast" } })
    assert.equal("slow", k:check "slow")
    assert.equal('knob mode: "Slow" is not allowed; it is one of slow, fast ()', refusal(k, "Slow"))
  end)

  it("takes one of them that is a number", function()
    local k = knob.new("probes", { 3, "", "m", choices = { 1, 3 } })
    assert.equal("integer", math.type(k:check(1.0)))
    assert.equal("knob probes: 2 is not allowed; it is one of 1, 3 ()", refusal(k, 2))
  end)

  it("keeps its bounds too", function()
    local k = knob.new("probes", { 3, "", "m", choices = { 1, 3 }, min = 2 })
    assert.equal("knob probes: 1 is not allowed; it is one of 1, 3 ()", refusal(k, 1))
  end)
end)

describe("a knob that is a time in seconds", function()
  it("is a number, even if its default is a whole one", function()
    local k = knob.new("patience", { 1, "s", "m", min = 0 })
    assert.equal("float", math.type(k.default))
    assert.equal(0.5, k:parse "0.5")
    assert.equal("float", math.type(k:check(2)))
  end)

  it("is a whole number where it is declared so", function()
    local k = knob.new("keepidle", { 1, "s", "m", min = 1, whole = true })
    assert.equal("integer", math.type(k.default))
    assert.equal("knob keepidle: 0.5 is not allowed; it is a whole number, 1 or more (s)", refusal(k, "0.5", "parse"))
  end)
end)

describe("a count that has a least value alone", function()
  it("is bounded all the same, by what the kernel's calls take", function()
    local k = knob.new("backlog", { 5, "connections", "m", min = 0 })
    assert.equal(2147483647, k:parse "2147483647")
    assert.equal("knob backlog: 2147483648 is not allowed; it is a whole number, 0 or more, at most 2147483647 "
      .. "(connections)", refusal(k, "2147483648", "parse"))
    local wide = knob.new("seed", { 1, "", "m", min = 0, max = math.maxinteger })
    assert.equal(math.maxinteger, wide:check(math.maxinteger))
  end)
end)

describe("a knob that is a list", function()
  local k = knob.new("backlogs", { { 3, 5, 40 }, "connections", "m", min = 0, max = 99 })
  local allowed = " is not allowed; it is whole numbers from 0 to 99, with commas between them, 1 to 1000 of them "
    .. "(connections)"

  it("takes a list, and gives one of its own", function()
    local given = { 7, 1.0 }
    local taken = k:check(given)
    assert.same({ 7, 1 }, taken)
    assert.equal("integer", math.type(taken[2]))
    assert.not_equal(given, taken)
    assert.same({ 3, 5, 40 }, k.default)
  end)

  it("takes words with commas between them", function()
    assert.same({ 3 }, k:parse "3")
    assert.same({ 5, 3, 16 }, k:parse "5, 3.0,0x10")
    local names = knob.new("modes", { { "a" }, "", "m", choices = { "a", "b" } })
    assert.same({ "b", "a" }, names:parse "b,a")
    assert.equal('knob modes: "a,c" is not allowed; it is any of a, b, with commas between them, 1 to 1000 of them ()',
      refusal(names, "a,c", "parse"))
    local numbers = knob.new("loads", { { 1, 1.5 }, "", "m" })
    assert.same({ 2, 0.5 }, numbers:parse "2,.5")
    assert.equal("float", math.type(numbers:parse "2"[1]))
  end)

  it("refuses every other text, as it was given", function()
    for _, text in ipairs {
      "", ",", "3,", ",3", "3,,5", "1..64", "3 5", "x", "-1", "3,100", "3.5", "nan", "inf", "1e400",
    } do
      assert.equal(('knob backlogs: "%s"'):format(text) .. allowed, refusal(k, text, "parse"))
    end
    local long = ("3,"):rep(1000) .. "3"
    assert.equal(('knob backlogs: "%s"...'):format(long:sub(1, 200)) .. allowed, refusal(k, long, "parse"))
    assert.equal(1000, #k:parse(long:sub(1, -3)))
  end)

  it("refuses what is no list of such values", function()
    for _, value in ipairs { 3, "3", {}, { 3, "5" }, { 3, n = 1 }, { [2] = 3 }, { { 3 } } } do
      assert.match("^knob backlogs: [^\n]* is not allowed; it is whole numbers from 0 to 99, ", refusal(k, value))
    end
  end)
end)

local function refusal_of_name(name) return select(2, pcall(knob.new, name, { 1, "", "m" })) end

describe("a knob's name", function()
  it("is none of the options that every experiment has", function()
    local name = os.tmpname()
    local file <close> = assert(io.open(name, "w"))
    assert(file:write [[return require "lunet.experiment" { claim = "It is.", knobs = { n = { 1, "", "m" } },
      control = { n = 2 }, run = function() return {} end, check = function() end }]])
    file:flush()
    local help = program.shell(('exec "$LUNET" %s --help'):format(name)).output
    os.remove(name)
    local count = 0
    for option in help:gsub("^.-\nOptions:", ""):gmatch "%-%-([%w_]+)" do
      if option ~= "n" then
        assert.equal(("knob %s: the name is taken: --%s is an option of every experiment"):format(option, option),
          refusal_of_name(option))
        count = count + 1
      end
    end
    assert.is_true(count >= 10)
  end)
end)

describe("a knob given as text", function()
  local integer = knob.new("n", { 1, "lines", "m", min = -9 })
  local number = knob.new("t", { 0.5, "s", "m" })
  local boolean = knob.new("b", { true, "", "m" })
  local text = knob.new("s", { "x", "", "m" })

  it("takes what Lua reads as a number", function()
    local values = { ["5"] = 5, ["-5"] = -5, ["5.0"] = 5, ["1e3"] = 1000, ["0x10"] = 16, [" 7 "] = 7 }
    for given, value in pairs(values) do
      assert.equal(value, integer:parse(given))
      assert.equal("integer", math.type(integer:parse(given)))
    end
    assert.equal(0.25, number:parse "0.25")
    assert.equal(-0.25, number:parse "-.25")
  end)

  it("takes inf for a number that may be without limit", function()
    assert.equal(math.huge, number:parse "inf")
    assert.equal("knob n: inf is not allowed; it is a whole number, -9 or more (lines)",
      refusal(integer, "inf", "parse"))
  end)

  it("refuses what is no number, as it was given", function()
    local shown = { [""] = '""', x = '"x"', ["5x"] = '"5x"', ["1,5"] = '"1,5"', ["5.5"] = "5.5", ["-10"] = "-10",
      ["99999999999999999999"] = "1e+20", nan = '"nan"', ["true"] = '"true"' }
    for given, value in pairs(shown) do
      assert.equal(("knob n: %s is not allowed; it is a whole number, -9 or more (lines)"):format(value),
        refusal(integer, given, "parse"))
    end
    assert.equal('knob t: "nan" is not allowed; it is a number (s)', refusal(number, "nan", "parse"))
  end)

  it("takes true and false", function()
    assert.is_true(boolean:parse "true")
    assert.is_false(boolean:parse "false")
    for _, given in ipairs { "", "yes", "1", "TRUE" } do
      assert.equal(('knob b: "%s" is not allowed; it is true or false ()'):format(given),
        refusal(boolean, given, "parse"))
    end
  end)

  it("takes a string as it is, also one that looks like a number", function()
    for _, given in ipairs { "", "5", "true", " x " } do assert.equal(given, text:parse(given)) end
  end)

  it("is refused in one line, whatever it holds", function()
    assert.equal([[knob n: "1\n2\0\"\\" is not allowed; it is a whole number, -9 or more (lines)]],
      refusal(integer, '1\n2\0"\\', "parse"))
  end)
end)
