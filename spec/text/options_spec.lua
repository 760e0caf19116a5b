local lunet = require "lunet"
local options = require "lunet.text.options"
local program = require "spec.support.program"
local raised = require "spec.support.raised"

local FIELDS = {
  count = options.whole(1, 3), any = options.whole(), share = options.from(0), part = options.from(0, "seconds", 1),
  rate = options.above(0, "seconds"), kind = options.one_of { "a", "b" }, letter = options.one_of { "a", "b", "c" },
  fn = options.fn, list = options.list, host = options.host, target = options.target,
}

local function refusal(given) return raised(options.check, "thing", given, FIELDS) end

describe("a table of options", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("is taken if every option is known and makes sense", function()
    local host <close> = assert(lunet.host "h")
    for _, given in ipairs {
      {}, { count = 1 }, { count = 3 }, { any = -7 }, { share = 0 }, { share = 0.5 }, { rate = 1e-9 }, { kind = "b" },
      { fn = print }, { list = {} }, { host = host }, { target = "127.0.0.1:1" }, { target = {} },
    } do
      options.check("thing", given, FIELDS)
    end
  end)

  it("is refused with an option that nobody knows, and says which are known", function()
    local known = " (known: any, count, fn, host, kind, letter, list, part, rate, share, target)"
    assert.equal("thing: unknown option 'cuont'" .. known, refusal { cuont = 1 })
    assert.equal("thing: unknown option '1'" .. known, refusal { 5 })
    assert.equal("thing: a table of options expected, not 7", refusal(7))
  end)

  it("is refused with a value that makes no sense, and says what is expected", function()
    local closed = assert(lunet.host "h")
    closed:close()
    for _, case in ipairs {
      { "count", 0, "a whole number from 1 to 3 expected, not 0" },
      { "count", 4, "a whole number from 1 to 3 expected, not 4" },
      { "count", 1.5, "a whole number from 1 to 3 expected, not 1.5" },
      { "count", "2", 'a whole number from 1 to 3 expected, not "2"' },
      { "any", 1.0, "a whole number expected, not 1.0" },
      { "share", -0.1, "a number from 0 on expected, not -0.1" },
      { "share", 0 / 0, "a number from 0 on expected, not " .. tostring(0 / 0) },
      { "share", math.huge, "a number from 0 on expected, not inf" },
      { "part", 1.5, "a number of seconds from 0 to 1 expected, not 1.5" },
      { "rate", 0, "a number of seconds above 0 expected, not 0" },
      { "kind", "c", 'a or b expected, not "c"' },
      { "letter", "d", 'one of a, b, c expected, not "d"' },
      { "fn", {}, "a function expected, not table: " },
      { "list", "x", 'a table expected, not "x"' },
      { "host", closed, "an open host expected, not host h (closed)" },
      { "host", "h", 'an open host expected, not "h"' },
      { "target", 5, "a listener, an address or a table with one expected, not 5" },
    } do
      local name, value, expected = table.unpack(case)
      local start = ("thing: %s: %s"):format(name, expected)
      assert.equal(start, refusal({ [name] = value }):sub(1, #start))
    end
  end)

  it("is refused without an option that it needs", function()
    assert.equal("thing: count: a whole number from 1 to 3 expected, not nil",
      raised(options.check, "thing", {}, FIELDS, { "count" }))
  end)
end)

describe("a name that nobody knows", function()
  it("is told with those that are known, in their order", function()
    assert.equal("unknown field 'c' (known: b, a)", options.unknown("field", { c = 1 }, { "b", "a" }))
    assert.equal("unknown knob '1' (known: a)", options.unknown("knob", { "x" }, { "a" }))
    assert.is_nil(options.unknown("option", { a = false }, { "b", "a" }))
  end)

  -- One function says so, or else the words come to differ.
  it("is told nowhere else in Lua", function()
    local found = program.shell [[grep -rnE "unknown (%s|option|field|knob) '%s" lua experiments]].output
    assert.matches("^lua/lunet/text/options.lua:%d+:[^\n]*\n$", found)
  end)
end)

describe("merged tables", function()
  it("have the fields of all, the later ones over the earlier ones, and leave those alone", function()
    local base, more = { a = 1, b = 1 }, { b = false, [1] = "x" }
    assert.same({ "x", a = 1, b = false }, options.merged(base, nil, more))
    assert.same({ { a = 1, b = 1 }, { b = false, [1] = "x" } }, { base, more })
    assert.same({}, options.merged(nil, false))
  end)
end)
