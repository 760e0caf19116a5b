local tabular = require "lunet.text.table"

local function lines_of(list, first, width)
  return tabular.lines(list, first or {}, width or 80)
end

describe("rows", function()
  it("are a list of tables that hold scalars by name", function()
    assert.is_true(tabular.is { { depth = 1 } })
    assert.is_true(tabular.is { { depth = 1, state = "open" }, { is_late = true } })
    for _, other in ipairs { {}, { 1 }, { {} }, { { 1, 2 } }, { a = { b = 1 } }, { { a = {} } }, { { a = 1 }, 2 },
      { { a = 1 }, n = 1 }, { [1] = { a = 1 }, [3] = { a = 1 } }, "text", 5 } do
      assert.is_false(tabular.is(other))
    end
    assert.is_false(tabular.is(nil))
  end)
end)

describe("a table of rows", function()
  it("has a line for each, with numbers to the right and all else to the left", function()
    assert.same({
      "accepted  departure  depth",
      "true      close         10",
      "false     reset          9",
    }, lines_of { { departure = "close", depth = 10, accepted = true },
      { departure = "reset", depth = 9, accepted = false } })
  end)

  it("has the named columns first, and the others by name", function()
    assert.same({ "state  depth  bytes  limit", "open       1      3      2" },
      lines_of({ { bytes = 3, depth = 1, limit = 2, state = "open" } }, { "state", "missing", "depth" }))
  end)

  it("rounds numbers to four digits, but keeps those before the point", function()
    local list = {}
    for i, t in ipairs { 0.0123456, 12345.678, 123456789, 0.5, 9999.9, 6.0591e-05, 3.0, math.huge, 1e30, -0.25 } do
      list[i] = { t = t }
    end
    local cells = {}
    for i, line in ipairs(lines_of(list)) do cells[i] = line:match "%S+" end
    assert.same({
      "t", "0.01235", "12346", "123456789", "0.5", "10000", "6.059e-05", "3", "inf", "1e+30", "-0.25",
    }, cells)
  end)

  it("leaves a cell empty where a record lacks the field", function()
    assert.same({ "a  b  c", "1     x", "   2" }, lines_of { { a = 1, c = "x" }, { b = 2 } })
  end)

  it("quotes a text whose ends would not be seen, and what is not a text", function()
    assert.same({ "t", "plain words", '""', '" x"', '"a\\nb"', '"\\xff"', "hä" },
      lines_of { { t = "plain words" }, { t = "" }, { t = " x" }, { t = "a\nb" }, { t = "\xff" }, { t = "hä" } })
  end)

  it("counts characters, not bytes", function()
    assert.same({ "a    b", "hä   1", "xyz  2" }, lines_of { { a = "hä", b = 1 }, { a = "xyz", b = 2 } })
  end)

  it("breaks its headings when it would be too wide", function()
    local list = { { departure = "close", depth_before = 1, first_reply = "sent" } }
    assert.same({ "departure  depth_before  first_reply", "close                 1  sent" }, lines_of(list, {}, 36))
    assert.same({ "           depth_", "departure  before  first_reply", "close           1  sent" },
      lines_of(list, {}, 35))
    assert.same({ "           depth_  first_", "departure  before  reply", "close           1  sent" },
      lines_of(list, {}, 26))
  end)

  -- Each word had a line of its own: "begun_", "after_", "its_", "client_", "left".
  it("breaks a long heading no more often than it must", function()
    local list = { { begun_after_its_client_left = 12, text = ("x"):rep(50) } }
    assert.same({ "begun_after_its_", "     client_left  text", "              12  " .. ("x"):rep(50) },
      lines_of(list, {}, 68))
    assert.equal(4, #lines_of(list, {}, 64)) -- of 12 columns: "begun_after_", "its_client_", "left"
  end)

  it("breaks no heading within what its cells are wide", function()
    assert.same({ "a_b_c_d", "1234567" }, lines_of({ { a_b_c_d = 1234567 } }, {}, 7))
  end)

  it("has less room between its columns when that does not do", function()
    local list = { { departure = "close", depth_before = 1, first_reply = "sent" } }
    assert.same({ "          depth_ first_", "departure before reply", "close          1 sent" },
      lines_of(list, {}, 24))
    assert.equal(3, #lines_of(list, {}, 23))
    assert.equal("depart = 1", lines_of({ { depart = 1, x = ("x"):rep(30) } }, {}, 30)[1])
  end)

  it("is a block for each record, with a line for each field, when that does not do", function()
    assert.same({
      "depth = 1", "state = a long-winded description", "", "depth = 2", "",
      "state = none",
    }, lines_of({ { state = "a long-winded description", depth = 1 }, { depth = 2 }, { state = "none" } }, {}, 30))
  end)

  it("is as wide as its width allows, and no wider", function()
    local list = { { a = ("x"):rep(40), b = ("y"):rep(39) } }
    assert.same({ "a" .. (" "):rep(40) .. "b", ("x"):rep(40) .. " " .. ("y"):rep(39) }, lines_of(list, {}, 80))
    assert.same({ "a = " .. ("x"):rep(40), "b = " .. ("y"):rep(39) }, lines_of(list, {}, 79))
  end)
end)
