local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local CLANG <const> = "tests as an ordinary user, compiled by clang"

-- .ci/run in a tree of its own, whose script/test only says what it would test: the line that busted prints last.
describe(".ci/run", function()
  local place, tree

  local function write(name, text)
    program.shell("chmod +x " .. place:write(name, "#!/bin/bash\n" .. text))
  end

  before_each(function()
    place = scratch.open()
    tree = place.path
    place:write("build/kernels/here", "")
    local script <close> = assert(io.open(os.getenv "LUNET_SOURCE" .. "/.ci/run"))
    write(".ci/run", script:read("a"))
    program.shell("chmod 755 " .. tree)
    write("script/packages", "")
    write("script/build", "echo building $1")
    for _, name in ipairs { "kernels", "inject", "kills", "package" } do
      write("script/" .. name, "echo running ${0##*/}")
    end
  end)
  after_each(function() place:close() end)

  local function run(test)
    write("script/test", ([==[
preset=dev
[[ ${1-} != --preset ]] || { preset=$2; shift 2; }
echo "testing $preset $* as $(id -un)${LUA_INIT+, eagerly}"
mkdir -p build/$preset/Testing/Temporary
printf '%%s\n' '3 successes / 0 failures / 0 errors / 0 pending : 1 seconds' 'Test time = 1 sec' \
  >build/$preset/Testing/Temporary/LastTest.log
%s]==]):format(test or ""))
    return program.shell(("cd %s && mkdir -p tmp && unset LUA_INIT && TMPDIR=$PWD/tmp exec .ci/run"):format(tree))
  end

  it("tests what both compilers, all sanitizers and the ordinary user have, and tells each part's minutes", function()
    local result = run()
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.matches("\ntesting dev  as ", result.output)
    assert.matches("\ntesting dev %-%-slow [^\n]*as ", result.output)
    assert.matches("\ntesting sanitize %-E [^\n]* as ", result.output)
    assert.matches("\nrunning kernels\n", result.output)
    assert.matches("\ntesting dev %-%-kernel 6%.1 as ", result.output)
    assert.matches("\ntesting sanitize %-L core [^\n]*as %w+, eagerly\n", result.output)
    assert.matches("\n%.ci/run: " .. CLANG .. ": 0%.%d minutes, 0%.%d of a processor\n", result.output)
    assert.matches("\n%.ci/run: 0 minutes; 0 parts failed\n$", result.output)
    if result.output:find "not root" then
      assert.matches("\ntesting dev%-clang  as ", result.output)
      return
    end
    assert.matches("\ntesting tsan %-L threads as root\n", result.output)
    assert.matches("\ntesting dev%-clang %-E ^%(lint|outcomes%)/ as nobody\n", result.output)
    assert.matches("\ntesting dev%-clang %-%-slow %-R [^\n]*slurm[^\n]* as nobody\n", result.output)
    assert.matches("\nrunning inject\n", result.output)
    assert.matches("\nrunning kills\n", result.output)
    assert.matches(program.shell("command -v debootstrap").status == 0 and "\nrunning package\n"
      or "no debootstrap, so the package is not tried", result.output)
  end)

  it("goes on after a part that fails, names it, and fails", function()
    local result = run "[[ $preset != dev-clang ]]"
    assert.equal(1, result.status)
    assert.matches("\n%.ci/run: " .. CLANG .. ": 0%.%d minutes, 0%.%d of a processor, FAILED\n", result.output)
    assert.matches("\ntesting sanitize ", result.output)
    if not result.output:find "not root" then
      assert.matches("\ntesting dev%-clang %-%-slow %-R [^\n]* as nobody\n", result.output)
    end
    assert.matches("1 parts failed: tests as an ordinary user, compiled by clang\n$", result.output)
  end)

  -- A test in LastTest.log, as ctest writes it there.
  local LOGGED <const> = [==[
logged() { # NAME RESULT LINE...
  printf '%s\n' "1/9 Testing: $1" "1/9 Test: $1" Output: ---------- "${@:3}" '<end of output>' \
    'Test time =   1.01 sec' ---------- "Test $2." "\"$1\" end time: now" ---------- '' \
    >>build/$preset/Testing/Temporary/LastTest.log
}
]==]

  -- The last lines of .ci/run, without the closing one.
  local function told_at_the_end(test)
    local result = run(LOGGED .. test)
    assert.equal(1, result.status)
    return result.output:match "what failed, and how it began:\n(.*)%.ci/run: [^\n]*\n$"
  end

  it("ends with what failed and how it began, since what it prints before is long", function()
    assert.equal([[
-- tests as an ordinary user, compiled by clang: spec/a recorded/b spec/c
tests as an ordinary user, compiled by clang: spec/a:
  Failure -> spec/a_spec.lua @ 7
  Expected 1.
tests as an ordinary user, compiled by clang: recorded/b:
  b differs
tests as an ordinary user, compiled by clang: spec/c:
]], told_at_the_end [==[
[[ $preset != dev-clang || ${1-} == --slow ]] || {
  logged spec/well Passed 'Failure is no word of this one'
  logged spec/a Failed '0 successes / 1 failure' 'Failure -> spec/a_spec.lua @ 7' '' 'Expected 1.'
  logged recorded/b Failed 'b differs'
  logged spec/c Failed
  false
}]==])
  end)

  it("names every test that failed, and says all in 80 lines, however many there are", function()
    local told = told_at_the_end [==[
for i in {1..40}; do logged spec/$preset-$i Failed "Error -> spec/${i}_spec.lua @ 7" {1..50}; done
false]==]
    local names = told:match "^%-%- tests: ([^\n]*)\n"
    for i = 1, 40 do assert.matches("spec/dev-" .. i .. " ", names .. " ", 1, true) end
    assert.is_true(select(2, told:gsub("\n", "")) < 80)
  end)

  it("ends with the last that another part said", function()
    write("script/kernels", "printf 'line %d\n' {1..30}; false")
    assert.matches("^%-%- experiments on Linux 6%.1: kernels\n.*  line 19\n.*  line 30\n$", told_at_the_end "true")
  end)

  it("ends with what went wrong beside all tests", function()
    local told = told_at_the_end "[[ $preset != sanitize || $1 != -E ]] || exit 7"
    assert.matches("\ntests and fuzzers[^\n]*: it ended with 7, though no test failed, see above; script/test", told)
  end)

  it("ends with what went wrong before a test began", function()
    if program.shell("id -u").output ~= "0\n" then return end -- it has no part of another user
    write("script/build", "[[ $(id -un) != nobody ]] || { echo no compiler >&2; exit 3; }")
    assert.matches("\ntests as an ordinary user, compiled by clang: setpriv:\n  no compiler\n", told_at_the_end "true")
  end)

  it("fails when the log of a run has no test, since nobody knows what was pending", function()
    local told = told_at_the_end "[[ $preset != dev-clang ]] || echo >build/$preset/Testing/Temporary/LastTest.log"
    assert.matches("\n" .. CLANG .. ": %.ci/run: build/dev%-clang/[%w/]+%.log has no test\n", told)
  end)

  it("fails when a spec is pending", function()
    local result = run [==[
[[ $preset != sanitize || $1 != -E ]] ||
  echo '3 successes / 0 failures / 0 errors / 1 pending : 1 seconds' >>build/$preset/Testing/Temporary/LastTest.log]==]
    assert.equal(1, result.status)
    assert.matches("/ 1 pending : 1 seconds\n%.ci/run: specs are pending, see above\n", result.output)
    assert.matches("what failed.*: pending:\n  [^\n]* 1 pending : 1 seconds\n%.ci/run: ", result.output)
    assert.matches("\n%.ci/run: 0 minutes; 1 parts failed: tests and fuzzers under ", result.output)
  end)

  it("fails when a part that runs beside another one fails", function()
    if program.shell("id -u").output ~= "0\n" then return end
    local result = run "[[ $preset != tsan ]]"
    assert.equal(1, result.status)
    assert.matches("1 parts failed: specs with hosts under the thread sanitizer\n$", result.output)
  end)
end)
