local program = require "spec.support.program"
local run_of = require("lunet.run.run").of
local scratch = require "lunet.peer.scratch"
local tap = require "lunet.files.tap"

local HOSTILE <const> = "x\27[31m\0\r\nok 9 \xff # TODO \\# é漢 \" ' : | - ---\n  ...\nBail out!"

local VERDICTS <const> = { "holds", "does not hold", "not judged", "could not run" }

-- A reader of Perl's TAP::Parser, which prove(1) uses, too. It prints for each test whether it passed, its description
-- and why it was skipped, and at the end all complaints.
local READER <const> = [[
use TAP::Parser;
my $parser = TAP::Parser->new({ source => $ARGV[0] });
while (my $result = $parser->next) {
  printf "%d %s|%s|%s\n", $result->number, $result->is_ok ? "ok" : "not ok", $result->description,
    $result->has_skip ? $result->explanation : "" if $result->is_test;
  printf "%s: %s\n", $result->data->{verdict}, $result->data->{why} // "-" if $result->is_yaml;
  print "unknown: ", $result->raw, "\n" if $result->is_unknown;
}
print "plan ", $parser->tests_planned, ", run ", $parser->tests_run, "\n", $parser->parse_errors;
]]

local function read(text)
  local place <close> = scratch.open()
  local path = place:write("results.tap", text .. "\n")
  local result = program.shell(("exec perl -e '%s' '%s'"):format(READER:gsub("'", "'\\''"), path))
  assert.same({ 0, "" }, { result.status, result.errors })
  return result.output
end

describe("a text in TAP", function()
  it("tells each verdict with its reason: TAP has no error beside a failure", function()
    local records = {}
    for i, verdict in ipairs(VERDICTS) do
      records[i] = { experiment = "e" .. i, claim = "It is so.", verdict = verdict,
        why = verdict ~= "holds" and "why " .. i or nil, seconds = i / 4 }
    end
    assert.equal([[
1 ok|- e1: It is so.|
holds: -
2 not ok|- e2: It is so.|
does not hold: why 2
3 ok|- e3: It is so.|why 3
not judged: why 3
4 not ok|- e4: It is so.|
could not run: why 4
plan 4, run 4
]], read(tap.of_records(records)))
    assert.matches("\n  duration_ms: 250.000\n", tap.of_records(records), 1, true)
  end)

  it("stays what it is whatever a script says", function()
    local records = {}
    for i, verdict in ipairs(VERDICTS) do
      records[i] = { experiment = HOSTILE, claim = HOSTILE, verdict = verdict, why = HOSTILE, figures = HOSTILE,
        file = HOSTILE, variant = HOSTILE }
    end
    local told = read(tap.of_records(records))
    assert.no_match("unknown", told)
    assert.matches("plan 4, run 4\n$", told)
    assert.same({ 2, 2 }, { select(2, told:gsub("%f[%C]%d ok|", "")), select(2, told:gsub("%f[%C]%d not ok|", "")) })
  end)

  it("has a run that did not come to an outcome", function()
    local run = run_of { name = "e" }:fail "no luck"
    assert.equal("1 not ok|- e|\ncould not run: no luck\nplan 1, run 1\n", read(tap.of_records { run:listed() }))
  end)
end)
