local guide = require "lunet.report.guide"
local json = require "lunet.text.json"
local merged = require "spec.support.merged"
local scratch = require "lunet.peer.scratch"
local sections = require "lunet.report.guide_sections"

local SECTION <const> = {
  title = "Is it?", words = "One asks.", experiment = "one", file = "experiments/one.lua", list = "rows", also = "more",
  program = { "program" }, columns = { { "is", "is it?" }, { "n", "how many" } },
  hurts = { "n", function(row) return row.n end }, knobs = { server = "name" },
}

local ROWS <const> = {
  { name = "a", is = true, n = 0 }, { name = "b", is = false, n = 2.5 }, { name = "c d", is = true, n = 2.5 },
}
local MORE <const> = { { program = "a 1" }, { program = "B 2" }, { program = "C 3" } }

local RECORD <const> = {
  format = 1, experiment = "one", verdict = "holds", knobs = { server = "all", size = 5, speed = 1 },
  outcome = { rows = ROWS, more = MORE }, environment = { kernel = "Linux 6", lunet = "0.1" },
}

local function found_of(fields) return { { path = "r/one.json", record = merged(RECORD, fields) } } end

local function parts_of(found, section)
  return guide.parts(found, function() return { size = 5, speed = 2 } end, { merged(SECTION, section) })
end

describe("the field guide's records", function()
  local place

  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  local function read() return guide.read(place.path) end

  it("are the files of a directory: one each, or a list", function()
    place:write("a.json", json.encode(RECORD))
    local two, three = merged(RECORD, { experiment = "two" }), merged(RECORD, { experiment = "three" })
    place:write("b.json", json.encode { two, three })
    place:write("c.txt", "no record")
    place:write(".hidden.json", "no record")
    local found = read()
    assert.equal(place.path .. "/a.json", found[1].path)
    assert.equal("three", found[3].record.experiment)
    assert.same({ { name = "a", is = true, n = 0 }, ROWS[2], ROWS[3] }, found[1].record.outcome.rows)
  end)

  it("that are broken are errors that name the file", function()
    local BROKEN <const> = {
      ["{"] = "/x.json: this is no JSON", [""] = "/x.json: this is no JSON", ["3"] = "/x.json: this is no JSON",
      ["{}"] = "/x.json: this is no record of a run", ["[3]"] = "/x.json: this is no record of a run",
      ['{ "experiment": "one" }'] = "/x.json: this is no record of a run",
      [json.encode(merged(RECORD, { format = 2 }))] = "/x.json: a record of format 2, not 1",
    }
    for text, why in pairs(BROKEN) do
      place:write("x.json", text)
      assert.error_matches(read, why)
    end
    assert.error_matches(function() guide.read(place.path .. "/nowhere") end, "/nowhere: there is no such directory")
  end)
end)

describe("the field guide", function()
  it("has a row a program, the one that hurts most first, then by name", function()
    local part = parts_of(found_of())[1]
    local names, cells = {}, {}
    for i, row in ipairs(part.rows) do names[i], cells[i] = row.name, row.cells end
    assert.same({ "B 2", "C 3", "a 1" }, names)
    assert.same({ { "no", "2.50" }, { "yes", "2.50" }, { "yes", "0" } }, cells)
    assert.same({ true, true, false }, { part.rows[1].hurts, part.rows[2].hurts, part.rows[3].hurts })
    assert.same({ "holds", "Linux 6", "0.1" }, { part.verdict, part.kernel, part.lunet })
  end)

  it("has the rows that the section wants", function()
    local rows = parts_of(found_of(), { where = function(row) return row.is end })[1].rows
    assert.same({ "C 3", "a 1" }, { rows[1].name, rows[2].name })
  end)

  it("joins a field of another row that is alike", function()
    local rows = { { program = "a 1", way = "close", n = 3 }, { program = "b 2", way = "reset", n = 2 },
      { program = "a 1", way = "reset", n = 1 } }
    local found = found_of { outcome = { rows = rows } }
    local part = parts_of(found, { also = false, where = function(row) return row.way == "close" end,
      alike = { "program" }, joined = { by_reset = { "n", way = "reset" } },
      columns = { { "n", "n" }, { "by_reset", "by reset" } }, knobs = { server = "program" } })[1]
    assert.equal(1, #part.rows)
    assert.same({ "3", "1" }, part.rows[1].cells)
  end)

  it("has each row's command: knobs that are not the default, and those of the row", function()
    local rows = parts_of(found_of())[1].rows
    assert.equal("script/run experiments/one.lua --server b --speed 1", rows[1].command)
    assert.equal("script/run experiments/one.lua --server 'c d' --speed 1", rows[2].command)
    local same = parts_of(found_of(), { same = { size = 7 } })[1].rows
    assert.equal("script/run experiments/one.lua --server b --size 7 --speed 1", same[1].command)
    local switched = parts_of(found_of { knobs = { server = "all", direct = true, size = 0.0625 } })[1].rows
    assert.equal("script/run experiments/one.lua --direct true --server b --size 0.0625", switched[1].command)
  end)

  it("takes the record with the section's knobs, and refuses two", function()
    local records = found_of { knobs = { size = 1 } }
    records[2] = found_of { knobs = { size = 2 }, verdict = "not judged" }[1]
    assert.equal("not judged", parts_of(records, { with = { size = 2 } })[1].verdict)
    assert.equal("one was not run.", parts_of(records, { with = { size = 3 } })[1].missing)
    records[2].path = "r/two.json"
    assert.error_matches(function() parts_of(records) end, "r/two.json: a second record of one, besides r/one.json")
  end)

  it("has the same command once", function()
    local both = guide.parts(found_of(), function() return {} end, { SECTION, SECTION })
    local commands = guide.commands(both)
    assert.equal(3, #commands)
    assert.equal(both[1].rows[2].again, both[2].rows[2].again)
    assert.not_equal(both[1].rows[2].id, both[2].rows[2].id)
  end)

  it("says that an experiment was not run, could not run, or does not hold", function()
    assert.equal("one was not run.", parts_of({})[1].missing)
    local unrun = found_of { verdict = "could not run", why = "no redis" }
    unrun[1].record.outcome = nil
    assert.equal("one could not run: no redis", parts_of(unrun)[1].missing)
    assert.equal("does not hold: it is 3", parts_of(found_of { verdict = "does not hold", why = "it is 3" })[1].verdict)
  end)

  it("refuses a record that lacks what the section shows, and names both", function()
    local function refuses(section, why)
      assert.error_matches(function() parts_of(found_of(), section) end, why)
    end
    refuses({ list = "others" }, "r/one.json: its outcome has no others")
    refuses({ columns = { { "width", "how wide" } } }, "r/one.json: no row of rows has the field width")
    refuses({ knobs = { server = "nothing" } }, "r/one.json: no row of rows has the field nothing")
    assert.same({}, parts_of(found_of { outcome = { rows = {} } })[1].rows)
  end)
end)

describe("the sections of the field guide", function()
  it("ask questions, of experiments that declare what they show", function()
    assert.is_true(#sections > 0)
    for _, section in ipairs(sections) do
      assert.matches("%?$", section.title)
      local columns, known = dofile(section.file).columns, {}
      for _, name in ipairs(columns) do known[name] = true end
      for _, column in ipairs(section.columns) do
        local joined = section.joined and section.joined[column[1]]
        assert.is_true(known[joined and joined[1] or column[1]], section.title .. column[1])
      end
      assert.equal(section.experiment, section.file:match "([%w_]+)%.lua$")
    end
  end)

  it("are written from records, as two pages", function()
    local place <close> = scratch.open()
    place:write("records/none.json", "[]")
    local function write() return guide.write(place.path .. "/records", place.path) end
    assert.error_matches(write, "none.json: this is no record")
    place:write("records/none.json", json.encode(RECORD))
    assert.equal(#sections, #write())
    assert.matches("server_limits was not run", place:read "field-guide.md")
    assert.matches("server_limits was not run", place:read "field-guide.html")
    assert.error_matches(function() guide.write(place.path .. "/records", place.path .. "/nowhere") end, "nowhere")
  end)

  it("judge the records by the experiments of the tree", function()
    local place <close> = scratch.open()
    local file <close> = assert(io.open "doc/field-guide/forwarders.json")
    local one = json.decode(file:read "a")
    local function verdict_of()
      place:write("records/one.json", json.encode(one))
      guide.write(place.path .. "/records", place.path)
      return place:read("field-guide.md"):match "The claim of this run: ([^\n]*)"
    end
    one.verdict, one.why = "does not hold", "the descriptions were wrong then"
    assert.equal("holds.", verdict_of())
    one.outcome.rows[1].connect = "ETIMEDOUT"
    assert.equal("does not hold: haproxy, closed: connect is ETIMEDOUT, not ok.", verdict_of())
    one.verdict, one.why = "not judged", "the process stood still for 9 s"
    assert.equal("not judged: the process stood still for 9 s.", verdict_of())
    one.verdict, one.knobs = "holds", { nonsense = 1 }
    assert.error_matches(verdict_of, "one.json: a record of another version: unknown knob 'nonsense'")
  end)

  it("are in the tree as its records make them", function()
    local place <close> = scratch.open()
    guide.write("doc/field-guide", place.path)
    for _, name in ipairs { "field-guide.md", "field-guide.html" } do
      local file <close> = assert(io.open("doc/" .. name))
      assert.is_true(file:read "a" == place:read(name), "script/field-guide makes doc/" .. name .. " anew")
    end
  end)
end)
