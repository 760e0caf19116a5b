local excerpt = require "lunet.report.excerpt"

local function event(number) return { kind = "event", at = number, number = number, label = "x", e = {} } end

local function acknowledgement(number) return { kind = "segment", at = number, number = number, e = {} } end

local function list_of(count, make)
  local list = {}
  for i = 1, count do list[i] = make(i) end
  return list
end

local function numbers_of(list)
  local numbers = {}
  for i, mark in ipairs(list) do numbers[i] = mark.is_gap and mark.label or mark.number end
  return numbers
end

describe("an excerpt", function()
  it("is the list itself if that is short enough, or nobody asks for less", function()
    local list = list_of(5, event)
    assert.equal(list, excerpt.of(list, 5))
    assert.equal(list, excerpt.of(list))
  end)

  it("leaves out first the acknowledgements that carry nothing, but none that was lost", function()
    local list = list_of(6, function(i) return i % 2 == 0 and acknowledgement(i) or event(i) end)
    list[4].lost = "link"
    assert.same({ 1, 3, 4, 5 }, numbers_of(excerpt.of(list, 4)))
  end)

  it("leaves out next the reads and writes of standard streams", function()
    local list = list_of(6, event)
    list[1].e.stream, list[3].e.stream, list[5] = "stdout", "stdout", acknowledgement(5)
    assert.same({ 2, 4, 6 }, numbers_of(excerpt.of(list, 4)))
    assert.same({ 1, 2, 3, 4, 6 }, numbers_of(excerpt.of(list, 5)))
  end)

  it("has the beginning and the end, and says between them how much is missing", function()
    assert.same({ 1, 2, 3, 4, "4 events are not drawn here.", 9, 10 }, numbers_of(excerpt.of(list_of(10, event), 6)))
    assert.same({ 1, 2, "1 event is not drawn here.", 4 }, numbers_of(excerpt.of(list_of(4, event), 3)))
    assert.same({ "3 events are not drawn here." }, numbers_of(excerpt.of(list_of(3, event), 0)))
  end)
end)
