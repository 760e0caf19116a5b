local figure = require "lunet.sweep.figure"
local interval = require "lunet.sweep.interval"

-- Results whose numbers are given, by the texts of a point's knobs.
local function results_of(axes, points)
  local made = { plan = { axes = axes, points = {} } }
  for i, point in ipairs(points) do
    made.plan.points[i] = { knobs = {}, numbers = point.numbers, mixture = point.mixture }
    for place, axis in ipairs(axes) do made.plan.points[i].knobs[axis] = point[place] end
  end
  function made.numbers(_, point) return table.move(point.numbers, 1, #point.numbers, 1, {}) end
  function made.mixture(_, point) return point.mixture end
  function made.interval(_, point) return interval.median(point.numbers) end
  return made
end

local SIX <const> = { 1, 2, 3, 4, 5, 6 }

local function draw(axes, points) return figure.new(results_of(axes, points), { name = "y", unit = "s" }) end

describe("a figure", function()
  it("has each run as a dot and the median's interval as a bar, in order of x", function()
    local drawn = draw({ "backlog" }, { { "10", numbers = { 7, 8 } }, { "2", numbers = SIX } })
    assert.equal("2 1\n2 2\n2 3\n2 4\n2 5\n2 6\n10 7\n10 8\n\n\n2 3.5 1 6\n", drawn:data())
    assert.equal(8, drawn:count())
    local script = drawn:script()
    assert.matches("data = 'figure-y.dat'\n", script, 1, true)
    assert.matches("set xlabel 'backlog' noenhanced\nset ylabel 'y (s)' noenhanced\n", script, 1, true)
    assert.matches("set output 'figure-y.svg'\n", script, 1, true)
    assert.matches("set output 'figure-y.pdf'\n", script, 1, true)
    assert.equal(2, select(2, script:gsub("plot data index 0 using 1:2 with points [^\n]* notitle, \\\n"
      .. "  data index 1 using 1:2:3:4 with yerrorlines ", "")))
  end)

  it("has each n-th of very many runs as a dot, by size, and the greatest; the median is that of all", function()
    local many = {}
    for i = 1, 20001 do many[i] = (i * 7919) % 20001 end
    local drawn = draw({ "backlog" }, { { "1", numbers = many }, { "2", numbers = { 5 } } })
    assert.equal(6669, drawn:count())
    assert.matches("^1 0\n1 3\n1 6\n.*\n1 19998\n1 20000\n2 5\n\n\n1 10000 ", drawn:data())
    assert.equal("Of 20002 runs one in 3 is a dot, by size, and the greatest of each point", drawn:legend())
    assert.equal("Each run is a dot", draw({ "backlog" }, { { "1", numbers = SIX } }):legend())
  end)

  it("has a colour for each value of the second knob, and a panel for each of the third", function()
    local points = {}
    for _, mode in ipairs { "fifo", "lifo" } do
      for _, patience in ipairs { "0.1", "0.2" } do
        points[#points + 1] = { "1", patience, mode, numbers = SIX }
        points[#points + 1] = { "2", patience, mode, numbers = {} }
      end
    end
    local drawn = draw({ "backlog", "patience", "mode" }, points)
    local script = drawn:script()
    assert.matches("set multiplot layout 2,1\n", script, 1, true)
    for _, part in ipairs {
      "set title 'mode = lifo' noenhanced\nplot data index 4 using 1:2 with points pt 7 ps 0.4 lc 1 notitle",
      "data index 7 using 1:2:3:4 with yerrorlines pt 5 ps 0.6 lc 2 title 'patience = 0.2'\n",
    } do
      assert.matches(part, script, 1, true)
    end
    assert.equal(7, select(2, drawn:data():gsub("\n\n\n", "")))
  end)

  it("has a panel for each combination of the third knob and those after it", function()
    local points = {}
    for i = 0, 15 do
      points[i + 1] = { tostring(i % 2), tostring(i // 2 % 2), tostring(i // 4 % 2), tostring(i // 8), numbers = SIX }
    end
    local script = draw({ "a", "b", "c", "d" }, points):script()
    assert.matches("set multiplot layout 4,1\n", script, 1, true)
    assert.matches("set title 'c = 1, d = 0' noenhanced\n", script, 1, true)
  end)

  it("leaves out knobs with one value, and those whose values follow from others", function()
    local points = {}
    for i, patience in ipairs { "0.1", "0.2", "0.4" } do
      for _, mode in ipairs { "fifo", "lifo" } do
        points[#points + 1] = { "7", patience, "2" .. i, mode, numbers = SIX }
      end
    end
    local script = draw({ "backlog", "patience", "double", "mode" }, points):script()
    assert.matches("set xlabel 'patience' noenhanced\n", script, 1, true)
    assert.matches("title 'mode = lifo'", script, 1, true)
    assert.is_nil(script:find "backlog" or script:find "double" or script:find "multiplot")
    script = draw({ "backlog" }, { { "7", numbers = SIX } }):script() -- with one point there is no other
    assert.matches("set xlabel 'backlog' noenhanced\n", script, 1, true)
  end)

  it("has no median where runs are in several states, and no line across such a point", function()
    local points = {}
    for x = 1, 6 do
      points[x] = { tostring(x), numbers = SIX, mixture = x ~= 2 and x ~= 5 and "up 1, down 5" or nil }
    end
    local drawn = draw({ "backlog" }, points)
    assert.equal("2 3.5 1 6\n\n5 3.5 1 6\n", drawn:data():match "\n\n\n(.*)$")
    assert.equal(36, drawn:count())
    local gaps = {}
    for x, point in ipairs(points) do gaps[x] = drawn:middle(drawn.results.plan.points[x]) or point.mixture end
    assert.same({ "up 1, down 5", 3.5, "up 1, down 5", "up 1, down 5", 3.5, "up 1, down 5" }, gaps)
  end)

  it("is of shares where runs are true or false", function()
    local results = results_of({ "backlog" }, { { "1", numbers = { 1, 0, 0, 0 } }, { "2", numbers = {} } })
    local numbers = results.numbers
    function results.numbers(...) return numbers(...), true end
    local drawn = figure.new(results, { name = "y", unit = "" })
    assert.is_true(drawn.is_share)
    assert.equal(0.25, drawn:middle(results.plan.points[1]))
    assert.matches("set yrange [0:1]\n", drawn:script(), 1, true)
    assert.matches("set yrange [*<0:*]\n", draw({ "backlog" }, { { "1", numbers = SIX } }):script(), 1, true)
  end)

  it("has no block of data without any, since gnuplot complains of that", function()
    local drawn = draw({ "backlog", "mode" }, { { "1", "a", numbers = { 3 } }, { "1", "b", numbers = {} },
      { "1", "c", numbers = SIX }, { "2", "c", numbers = {} } })
    assert.equal("1 3\n\n\n1 1\n1 2\n1 3\n1 4\n1 5\n1 6\n\n\n1 3.5 1 6\n", drawn:data())
    local script = drawn:script()
    assert.matches("index 0 using 1:2 with points pt 7 ps 0.4 lc 1 title 'mode = a'", script, 1, true)
    assert.matches("index 1 using 1:2 with points pt 7 ps 0.4 lc 3 notitle", script, 1, true)
    assert.is_nil(script:find "index 3")
  end)

  it("has a logarithmic scale along x if the values grow by factors", function()
    local function script_of(...)
      local points = {}
      for i, x in ipairs { ... } do points[i] = { tostring(x), numbers = SIX } end
      return draw({ "waiters" }, points):script()
    end
    assert.matches("\nset logscale x\n", script_of(32, 1, 2, 4, 8, 16), 1, true)
    for _, xs in ipairs { { 1, 2, 3, 40 / 10 }, { 0, 1, 10 }, { 5 }, { -1, 1, 100 } } do
      assert.is_nil(script_of(table.unpack(xs)):find "logscale")
    end
  end)

  it("numbers names along x", function()
    local drawn = draw({ "mode" }, { { "lifo", numbers = { 5 } }, { "fi'fo", numbers = { 6 } } })
    assert.equal("1 5\n2 6\n", drawn:data())
    assert.matches("set xtics noenhanced ('lifo' 1, 'fi''fo' 2)\n", drawn:script(), 1, true)
    assert.is_nil(drawn:text())
  end)

  it("takes an unlimited value for a name", function()
    local drawn = draw({ "patience" }, { { "1", numbers = { 5 } }, { "inf", numbers = { 6 } } })
    assert.equal("1 5\n2 6\n", drawn:data())
  end)

  it("is plotted in the terminal by its medians", function()
    local text = draw({ "backlog" }, { { "1", numbers = { 1, 9, 4 } }, { "2", numbers = { 8 } } }):text()
    assert.matches("^y %(s%), medians\n", text)
    assert.matches("backlog", text, 1, true)
    text = draw({ "backlog", "mode" }, { { "1", "a", numbers = { 4 } }, { "2", "a", numbers = { 5 } },
      { "1", "b", numbers = { 6 } }, { "2", "b", numbers = {} } }):text()
    assert.matches("\n* mode = a   o mode = b\n", text, 1, true)
  end)

  it("is not plotted in the terminal with one x, or more series than marks", function()
    assert.is_nil(draw({ "backlog" }, { { "1", numbers = SIX } }):text())
    local points = {}
    for i = 1, 18 do points[i] = { tostring(i % 2), tostring(i // 2), numbers = { i } } end
    assert.is_nil(draw({ "backlog", "patience" }, points):text())
  end)
end)
