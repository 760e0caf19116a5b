local junit = require "lunet.files.junit"
local program = require "spec.support.program"
local run_of = require("lunet.run.run").of
local scratch = require "lunet.peer.scratch"

local SOURCE <const> = os.getenv "LUNET_SOURCE"

-- It has characters that XML forbids, and ends of its texts.
local HOSTILE <const> = "x\27[31m\0\r\n\xff\u{9b}\u{fffe}\u{ffff}\u{202e}<é漢&\"'>]]><![CDATA[ --> <?xml ?> &amp; %s %1"

local VERDICTS <const> = { "holds", "does not hold", "not judged", "could not run" }

local place

before_each(function() place = scratch.open() end)
after_each(function() place:close() end)

local function xmllint(text, words)
  local path = place:write("junit.xml", text)
  return program.shell(("exec xmllint --nonet %s '%s'"):format(words, path))
end

-- "validates", or what the schema has against it.
local function judged(text)
  local said = xmllint(text, ("--noout --schema '%s/doc/junit.xsd'"):format(SOURCE)).errors
  return said:match "^[^\n]*junit.xml (validates)\n$" or said
end

local function assert_valid(text) assert.equal("validates", judged(text)) end

local function ask(text, xpath)
  local result = xmllint(text, ("--xpath '%s'"):format(xpath))
  assert.same({ 0, "" }, { result.status, result.errors })
  return (result.output:gsub("\n$", ""))
end

local function records()
  local list = {}
  for i, verdict in ipairs(VERDICTS) do
    list[i] = { experiment = "e" .. i, claim = "It is so.", verdict = verdict, seconds = i / 4,
      why = verdict ~= "holds" and "first line\nsecond line" or nil, file = "./experiments/queue/e.lua",
      knobs = { n = 5 } }
  end
  return list
end

describe("a JUnit file", function()
  it("tells each verdict apart, with its reason, and counts them", function()
    local text = junit.of_records(records())
    assert_valid(text)
    assert.equal("0", ask(text, "count(//testcase[@name=\"e1\"]/*[not(self::system-out)])"))
    for i, element in pairs { [2] = "failure", [3] = "skipped", [4] = "error" } do
      local at = ("//testcase[@name=\"e%d\"]/%s"):format(i, element)
      assert.equal("first line", ask(text, ("string(%s/@message)"):format(at)))
      assert.equal("first line\nsecond line", ask(text, ("string(%s)"):format(at)))
    end
    for attribute, count in pairs { tests = 4, failures = 1, errors = 1, skipped = 1, time = "2.500" } do
      assert.equal(tostring(count), ask(text, ("string(//testsuite/@%s)"):format(attribute)))
    end
  end)

  it("names a test by its folders and its experiment, and its knobs if they are not the defaults", function()
    local list = records()
    list[2].variant, list[3].file, list[4].file = "e2 --n 6", "/a b/c/e.lua", nil
    local text = junit.of_records(list)
    local function class_of(name) return ask(text, ("string(//testcase[@name=\"%s\"]/@classname)"):format(name)) end
    assert.same({ "experiments.queue", "experiments.queue", "a b.c", "lunet" },
      { class_of "e1", class_of "e2 --n 6", class_of "e3", class_of "e4" })
    assert.equal("It is so.\nfile: ./experiments/queue/e.lua\nn: 5",
      ask(text, "string(//testcase[@name=\"e1\"]/system-out)"))
  end)

  it("is well-formed whatever a script says", function()
    local list = {}
    for i, verdict in ipairs(VERDICTS) do
      list[i] = { experiment = HOSTILE, claim = HOSTILE, verdict = verdict, seconds = 1e6, why = HOSTILE,
        file = HOSTILE .. "/" .. HOSTILE .. ".lua", knobs = { [HOSTILE] = HOSTILE, list = { 1, 2 } },
        figures = HOSTILE }
    end
    local text = junit.of_records(list)
    assert_valid(text)
    assert.equal("4", ask(text, "count(//testcase)"))
    local seen = ask(text, "string(//testcase[2]/failure)")
    assert.matches([[x\x1b[31m\x00\r]], seen, 1, true)
    assert.matches([[\xff\u{9b}\u{fffe}\u{ffff}\u{202e}<é漢&"'>]], seen, 1, true)
    assert.matches("]]><![CDATA[ --> <?xml ?> &amp; %s %1", seen, 1, true)
  end)

  it("has a run that did not come to an outcome, and no runs at all", function()
    local text = junit.encode(run_of { name = "e", file = "e.lua" }:fail "no luck")
    assert_valid(text)
    assert.equal("no luck", ask(text, "string(//error)"))
    assert_valid(junit.of_records {})
  end)

  it("would be refused by the schema with another element, verdict, time or attribute", function()
    local text = junit.of_records(records())
    for right, wrong in pairs { ["system%-out>"] = "system-err>", ['type="not judged"'] = 'type="held"',
      ['time="0.250"'] = 'time="now"', ['classname='] = 'file="e.lua" classname=' } do
      local changed, count = text:gsub(right, wrong)
      assert.is_true(count > 0)
      assert.matches("junit.xml fails to validate\n", judged(changed), 1, true)
    end
  end)
end)
