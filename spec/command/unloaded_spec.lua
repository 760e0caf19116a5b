-- A script that has no experiment to run gives a record, too: to --json, to --trace and to a catalogue.
local dkjson = require "dkjson"
local program = require "spec.support.program"
local schema = require "spec.support.schema"
local scratch = require "lunet.peer.scratch"

local FORGOTTEN <const> = [[
  require "lunet.experiment" { claim = "It is so.", run = function() return {} end, check = function() end }]]

-- By file: its text, none if it is missing, and why it cannot run.
local SCRIPTS <const> = {
  ["broken.lua"] = { "return it is", "broken.lua:1: <eof> expected near 'is'" },
  ["raising.lua"] = { "error 'no luck'", "raising.lua:1: no luck" },
  ["raises_table.lua"] = { "error {}", "(error object is a table value)" },
  ["wrong.lua"] = { "return require 'lunet.experiment' { claim = 5 }",
    "experiment: claim is a string, not number" },
  ["missing.lua"] = { nil, "cannot open missing.lua: No such file or directory" },
  ["forgotten.lua"] = { FORGOTTEN, "forgotten.lua declares an experiment, but does not return it" },
}

local place

before_each(function()
  place = scratch.open()
  for name, script in pairs(SCRIPTS) do
    if script[1] then place:write(name, script[1]) end
  end
end)
after_each(function() place:close() end)

local function run(arguments)
  return program.shell(("cd %s && unset LUA_INIT LUA_INIT_5_4 && exec %s %s"):format(place.path, os.getenv "LUNET",
    arguments))
end

local function assert_record(name, text, more)
  local record = dkjson.decode(text)
  local wanted = { format = 1, experiment = name:match "^[^.]*", verdict = "could not run", why = SCRIPTS[name][2] }
  for field, value in pairs(more or {}) do wanted[field] = value end
  assert.same(wanted, record)
end

local function assert_valid(file, of, is_whole)
  assert.same({ status = 0, output = "", errors = "" }, schema(of, place.path .. "/" .. file, is_whole))
end

describe("a script without an experiment to run", function()
  it("has a record with --json, and says why", function()
    for name, script in pairs(SCRIPTS) do
      local result = run(name .. " --json")
      assert.equal(3, result.status)
      assert_record(name, result.output)
      assert.match("^lunet: ", result.errors)
      assert.match(script[2], result.errors, 1, true)
      place:write("record.json", result.output)
      assert_valid("record.json", "record.schema.json", true)
    end
  end)

  it("has a record as the last line of its trace, whatever was in the file", function()
    place:write("former.jsonl", "former\n")
    for name in pairs(SCRIPTS) do
      for _, words in ipairs { "--trace new.jsonl", "--trace=former.jsonl" } do
        local result = run(name .. " " .. words)
        assert.same({ 3, "" }, { result.status, result.output })
        local file = words:match "%w+%.jsonl"
        assert_record(name, place:read(file), { kind = "end", at = 0, hosts = {}, lost = 0 })
        assert_valid(file, "trace.schema.json")
      end
      os.remove(place.path .. "/new.jsonl")
    end
  end)

  it("has none unless its words ask for one: then its status is the interpreter's", function()
    for name, status in pairs { ["broken.lua"] = 1, ["raising.lua"] = 1, ["missing.lua"] = 2, ["forgotten.lua"] = 3 } do
      local result = run(name .. " --js --records")
      assert.same({ status, "" }, { result.status, result.output })
      assert.match(SCRIPTS[name][2], result.errors, 1, true)
    end
  end)

  it("has a record among those of its directory", function()
    local result = run "./ --json"
    local found = {}
    for _, record in ipairs((dkjson.decode(result.output))) do
      assert.same({ 1, "could not run" }, { record.format, record.verdict })
      found[record.file] = record.why
    end
    assert.same({ ["./broken.lua"] = "./broken.lua:1: <eof> expected near 'is'", ["./raising.lua"]
      = "./raising.lua:1: no luck", ["./raises_table.lua"] = found["./raises_table.lua"], ["./wrong.lua"]
      = "experiment: claim is a string, not number", ["./forgotten.lua"]
      = "./forgotten.lua declares an experiment, but does not return it" }, found)
    assert.equal(3, result.status)
  end)

  it("cannot be told where its file cannot be written", function()
    local result = run "broken.lua --trace /nowhere/t.jsonl"
    assert.equal(3, result.status)
    assert.match("lunet: %-%-trace: /nowhere/t.jsonl: No such file or directory\n$", result.errors)
    result = run "broken.lua --json >/dev/full"
    assert.equal(3, result.status)
    assert.match("lunet: standard output: No space left on device\n", result.errors, 1, true)
  end)
end)

describe("the trace of a run that could not run", function()
  local RUN <const> = [[
    local experiment, lunet = require "lunet.experiment", require "lunet"
    return experiment { claim = "It runs.", run = function()
      lunet.note "so far"
      lunet.sleep(0) -- the trace's task has begun
      error "no luck"
    end, check = function() end }]]

  it("ends with its record, after what happened up to then", function()
    place:write("unlucky.lua", RUN)
    assert.equal(3, run("unlucky.lua --trace t.jsonl").status)
    local kinds, last = {}, nil
    for line in place:read "t.jsonl":gmatch "[^\n]+" do
      last = dkjson.decode(line)
      kinds[#kinds + 1] = last.kind
    end
    assert.same({ "run", "note", "end" }, { kinds[1], kinds[2], kinds[#kinds] })
    assert.same({ "could not run", "unlucky.lua:5: no luck" }, { last.verdict, last.why })
    assert_valid("t.jsonl", "trace.schema.json")
  end)
end)
