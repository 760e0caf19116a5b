local experiment = require "lunet.experiment"
local plan = require "lunet.sweep.plan"
local points = require "lunet.sweep.points"
local json = require "lunet.text.json"
local scratch = require "lunet.peer.scratch"
local value = require "lunet.text.value"

local function nothing() return {} end

local function declare(knobs)
  return experiment { claim = "It is so.", run = nothing, check = nothing, knobs = knobs }
end

local seeded = declare { backlog = { 5, "connections", "", min = 0 }, seed = { 1, "number", "", max = 100 } }

local function new(list, given)
  local wanted = { name = "one", script = "/one.lua", axes = { "backlog" }, runs = 2, seed = 1,
    identity = { script = "a", lunet = "0", kernel = "Linux" } }
  for field, any in pairs(given or {}) do wanted[field] = any end
  return plan.new(seeded, points.make(seeded, { { name = "backlog", list = list } }), wanted)
end

local function names(self)
  local list = {}
  for i, run in ipairs(self:list()) do list[i] = run.name end
  return list
end

describe("the plan of a sweep", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  it("names a point by its values, so that the same one has the same name in another plan", function()
    local a, b = new { 1, 2, 3 }, new { 3, 1 }
    assert.equal(3, #a.points)
    assert.equal(a.points[1].id, b.points[2].id)
    assert.equal(a.points[3].id, b.points[1].id)
    assert.not_equal(a.points[1].id, a.points[2].id)
    assert.same({ backlog = "2" }, a.points[2].knobs)
  end)

  it("has a point once, however often its values come", function() assert.equal(2, #new({ 1, 2, 1 }).points) end)

  it("has the same seeds at each point: replicate r has seed + r - 1", function()
    for _, run in ipairs(new({ 1, 2 }, { runs = 3, seed = 7 }):list()) do
      assert.equal(7 + run.replicate - 1, run.seed)
    end
  end)

  it("has no seeds for an experiment without the knob, and says so", function()
    local without = declare { backlog = { 5, "connections", "" } }
    local made = plan.new(without, points.make(without, {}), { name = "one", script = "/one.lua", axes = {}, runs = 2,
      seed = 1, identity = {} })
    assert.is_false(made.seeded)
    assert.same({}, { made:list()[1].seed, made:list()[2].seed })
  end)

  it("refuses seeds that the knob does not allow, the last one too", function()
    for _, seed in ipairs { 101, 100 } do
      local ok, message = pcall(new, { 1 }, { seed = seed })
      assert.is_false(ok)
      assert.matches("^knob seed: 101 is not allowed", message)
    end
  end)

  describe("does run 1 of all points, then run 2, and", function()
    local list = {}
    for i = 1, 50 do list[i] = i end

    local function order(self, replicate)
      local ids = {}
      for i, run in ipairs(table.move(self:list(), (replicate - 1) * 50 + 1, replicate * 50, 1, {})) do
        assert.equal(replicate, run.replicate)
        ids[i] = run.point.id
      end
      return ids
    end

    it("has every point in each round, in another order", function()
      local one, two = order(new(list), 1), order(new(list), 2)
      assert.not_same(one, two)
      table.sort(one)
      table.sort(two)
      assert.same(one, two)
      for i = 2, #one do assert.not_equal(one[i - 1], one[i]) end
    end)

    it("has the same orders with the same seed, and others with another", function()
      assert.same(names(new(list)), names(new(list)))
      assert.not_same(names(new(list)), names(new(list, { seed = 2 })))
    end)
  end)

  it("finds its runs by name, and no others", function()
    local made = new { 1, 2 }
    for _, name in ipairs(names(made)) do assert.equal(name, made:find(name).name) end
    local id = made.points[1].id
    local far = id .. "-r99999999999999999999"
    for _, name in ipairs { "", "x", id, id .. "-r0", id .. "-r3", "abc-r1", id .. "-r1.5", far } do
      assert.is_nil(made:find(name))
    end
  end)

  it("comes back from its file as it was", function()
    local made = new({ 1, 2 }, { axes = {} })
    assert(made:save(place.path))
    local loaded = assert(plan.load(place.path))
    assert.same(names(made), names(loaded))
    assert.same({ made.experiment, made.script, made.seeded, made.exclusive, made.identities },
      { loaded.experiment, loaded.script, loaded.seeded, loaded.exclusive, loaded.identities })
    assert(loaded:save(place.path))
    assert(plan.load(place.path))
  end)

  it("says that there is none, by a code", function()
    local made, message, code = plan.load(place.path)
    assert.is_nil(made)
    assert.matches("plan.json", message, 1, true)
    assert.equal("ENOENT", code)
  end)

  -- A change of these fields needs a new number of the format: lunet does not read a plan with other fields.
  it("has the fields of its format", function()
    assert(new({ 1, 2 }, { command = "lunet sweep", arguments = { "--runs", "2" } }):save(place.path))
    local saved = json.decode(place:read "plan.json")
    assert.equal(2, saved.format)
    assert.equal("axes command commands exclusive experiment format identities measures points runs script seal "
      .. "seed seeded", table.concat(value.sorted_keys(saved), " "))
  end)

  it("refuses a file that was changed by hand, or is something else", function()
    assert(new({ 1, 2 }):save(place.path))
    local text = place:read "plan.json"
    for _, changed in ipairs { (text:gsub('"runs":2', '"runs":3')), (text:gsub('"backlog":"2"', '"backlog":"3"')) } do
      assert.not_equal(text, changed)
      place:write("plan.json", changed)
      local made, message = plan.load(place.path)
      assert.is_nil(made)
      assert.matches("plan.json: it was changed by hand", message, 1, true)
    end
    for _, other in ipairs { "", "{}", "[1]", "5", text:sub(1, 100), '{"format": 1}' } do
      place:write("plan.json", other)
      local made, message, code = plan.load(place.path)
      assert.is_nil(made)
      assert.matches("this is no plan of format 2", message, 1, true)
      assert.is_nil(code)
    end
  end)

  describe("takes in a later one", function()
    it("with more points or runs, and keeps its own", function()
      local first, later = new({ 1, 2 }), new({ 3, 2 }, { runs = 3 })
      assert(first:extend(later))
      assert.same({ 3, 3 }, { #first.points, first.runs })
      assert(first:extend(new({ 1 }, { runs = 1 })))
      assert.same({ 3, 3 }, { #first.points, first.runs })
    end)

    it("with other knobs named", function()
      local first = new { 1 }
      assert(first:extend(new({ 2 }, { axes = { "depth", "backlog" } })))
      assert.same({ "backlog", "depth" }, first.axes)
    end)

    it("but not one of another sweep", function()
      for field, other in pairs { experiment = { name = "two" }, seed = { seed = 2 } } do
        local ok, message = new({ 1 }):extend(new({ 1 }, other))
        assert.is_nil(ok)
        assert.matches("it is of another sweep: " .. field .. " is ", message, 1, true)
      end
    end)

    it("but not of another script, lunet or kernel, unless these may mix", function()
      local now = { script = "b", lunet = "0", kernel = "Linux" }
      local first = new { 1 }
      local ok, message = first:extend(new({ 2 }, { identity = now }))
      assert.is_nil(ok)
      assert.matches("^script was a, and is b", message)
      assert.same({ 1, 1 }, { #first.points, #first.identities })
      assert(first:extend(new({ 2 }, { identity = now }), true))
      assert.same({ 2, 2 }, { #first.points, first:identity_of(now) })
      assert(first:extend(new({ 3 }, { identity = now })))
    end)
  end)
end)
