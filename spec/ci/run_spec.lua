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
    assert.matches("\ntesting dev%-clang ", result.output)
    assert.matches("\ntesting sanitize %-E [^\n]* as ", result.output)
    assert.matches("\nrunning kernels\n", result.output)
    assert.matches("\ntesting dev %-%-kernel 6%.1 as ", result.output)
    assert.matches("\ntesting sanitize %-L core [^\n]*as %w+, eagerly\n", result.output)
    assert.matches("\n%.ci/run: " .. CLANG .. ": 0%.%d minutes, 0%.%d of a processor\n", result.output)
    assert.matches("\n%.ci/run: 0 minutes; 0 parts failed\n$", result.output)
    if result.output:find "not root" then return end
    assert.matches("\ntesting tsan %-L threads as root\n", result.output)
    assert.matches("\ntesting dev%-clang %-E ^%(lint|outcomes%)/ as nobody\n", result.output)
    assert.matches("\ntesting dev%-clang %-%-slow %-R [^\n]*slurm[^\n]* as nobody\n", result.output)
    assert.matches("\nrunning inject\n", result.output)
    assert.matches("\nrunning kills\n", result.output)
    assert.matches(program.shell("command -v debootstrap").status == 0 and "\nrunning package\n"
      or "no debootstrap, so the package is not tried", result.output)
  end)

  -- A test in LastTest.log, as ctest writes it there.
  local LOGGED <const> = [==[
logged() { # NAME RESULT LINE...
  printf '%s\n' "1/9 Testing: $1" "1/9 Test: $1" Output: ---------- "${@:3}" '<end of output>' \
    'Test time =   1.01 sec' ---------- "Test $2." "\"$1\" end time: now" ---------- '' \
    >>build/$preset/Testing/Temporary/LastTest.log
}
]==]

  -- The last lines of .ci/run: how each failure began, and the closing one; and all that it printed.
  local function told_at_the_end(test)
    local result = run(LOGGED .. test)
    assert.equal(1, result.status)
    local told, closing = result.output:match "what failed, and how it began:\n(.*)(%.ci/run: [^\n]*)\n$"
    return told, closing, result.output
  end

  local function is_root() return program.shell("id -u").output == "0\n" end

  it("goes on after a part that fails, and ends with what failed and how it began", function()
    write("script/kernels", "printf 'line %d\n' {1..30}; false")
    local told, closing, output = told_at_the_end [==[
[[ $preset != sanitize || $1 != -E ]] || exit 7
[[ $preset != tsan ]] || exit 1
[[ $preset != dev-clang || ${1-} == --slow ]] || {
  logged spec/well Passed 'Failure is no word of this one'
  logged spec/a Failed '0 successes / 1 failure' 'Failure -> spec/a_spec.lua @ 7' '' 'Expected 1.'
  logged recorded/b Failed 'b differs'
  logged spec/c Failed
  false
}]==]
    assert.matches("\n%.ci/run: " .. CLANG .. ": 0%.%d minutes, 0%.%d of a processor, FAILED\n", output)
    assert.matches("\ntesting sanitize %-L core ", output)
    if is_root() then assert.matches("\ntesting dev%-clang %-%-slow %-R [^\n]* as nobody\n", output) end
    assert.matches("-- tests as an ordinary user, compiled by clang: spec/a recorded/b spec/c\n", told, 1, true)
    assert.matches([[

tests as an ordinary user, compiled by clang: spec/a:
  Failure -> spec/a_spec.lua @ 7
  Expected 1.
tests as an ordinary user, compiled by clang: recorded/b:
  b differs
tests as an ordinary user, compiled by clang: spec/c:
]], told, 1, true)
    assert.matches("\nexperiments on Linux 6%.1: kernels:\n  line 19\n", told) -- of its last 12
    assert.matches("\ntests and fuzzers[^\n]*: it ended with 7, though no test failed, see above; script/test", told)
    assert.matches("; " .. (is_root() and 4 or 3) .. " parts failed: experiments on Linux 6%.1, " .. CLANG
      .. ", tests and fuzzers under [%w ]+" .. (is_root() and ", specs with hosts under the thread sanitizer" or "")
      .. "$", closing)
  end)

  it("names every test that failed, and says all in 80 lines, however many there are", function()
    local told = told_at_the_end [==[
for i in {1..40}; do logged spec/$preset-$i Failed "Error -> spec/${i}_spec.lua @ 7" {1..50}; done
false]==]
    local names = told:match "^%-%- tests: ([^\n]*)\n"
    for i = 1, 40 do assert.matches("spec/dev-" .. i .. " ", names .. " ", 1, true) end
    assert.is_true(select(2, told:gsub("\n", "")) < 80)
  end)

  it("fails when a spec is pending, when a log has no test, and when nothing could be built", function()
    write("script/build", "[[ $(id -un) != nobody ]] || { echo no compiler >&2; exit 3; }")
    local told, _, output = told_at_the_end [==[
[[ $preset != sanitize || $1 != -E ]] ||
  echo '3 successes / 0 failures / 0 errors / 1 pending : 1 seconds' >>build/$preset/Testing/Temporary/LastTest.log
[[ $preset != dev || -n ${1-} ]] || echo >build/$preset/Testing/Temporary/LastTest.log]==]
    assert.matches("/ 1 pending : 1 seconds\n%.ci/run: specs are pending, see above\n", output)
    assert.matches("\ntests and fuzzers [^\n]*: pending:\n  [^\n]* 1 pending : 1 seconds\n", told)
    assert.matches("\ntests: %.ci/run: build/dev/[%w/]+%.log has no test\n", told)
    if is_root() then -- otherwise it has no part of another user
      assert.matches("\ntests as an ordinary user, compiled by clang: setpriv:\n  no compiler\n", told)
    end
  end)
end)
