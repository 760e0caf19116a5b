local program = require "spec.support.program"

-- .ci/run in a tree of its own, whose script/test only says what it would test: the line that busted prints last.
describe(".ci/run", function()
  local tree

  local function write(name, text)
    local file = assert(io.open(tree .. "/" .. name, "w"))
    file:write("#!/bin/bash\n", text)
    file:close()
    program.shell(("chmod +x %s/%s"):format(tree, name))
  end

  before_each(function()
    tree = os.tmpname()
    os.remove(tree)
    program.shell(("mkdir -p %s/.ci %s/script %s/build/kernels && chmod 755 %s && cp %s/.ci/run %s/.ci"):format(tree,
      tree, tree, tree, program.quote(os.getenv "LUNET_SOURCE"), tree))
    write("script/packages", "")
    write("script/build", "echo building $1")
    for _, name in ipairs { "kernel-6.1", "inject", "kills" } do write("script/" .. name, "echo running ${0##*/}") end
  end)
  after_each(function() program.shell("rm -rf " .. tree) end)

  local function run(test)
    write("script/test", ([==[
preset=dev
[[ ${1-} != --preset ]] || { preset=$2; shift 2; }
echo "testing $preset $* as $(id -un)${LUA_INIT+, eagerly}"
mkdir -p build/$preset/Testing/Temporary
echo '3 successes / 0 failures / 0 errors / 0 pending : 1 seconds' >build/$preset/Testing/Temporary/LastTest.log
%s]==]):format(test or ""))
    return program.shell(("unset LUA_INIT; exec %s/.ci/run"):format(tree))
  end

  it("tests what both compilers, all sanitizers and the ordinary user have, and tells each part's minutes", function()
    local result = run()
    assert.same({ 0, "" }, { result.status, result.errors })
    for _, tested in ipairs { "dev", "dev%-clang", "sanitize" } do
      assert.matches("\ntesting " .. tested .. "  as ", result.output)
    end
    assert.matches("\ntesting dev %-%-slow as ", result.output)
    assert.matches("\nrunning kernel%-6.1\n", result.output)
    assert.matches("\ntesting sanitize %-L core [^\n]*as %w+, eagerly\n", result.output)
    assert.matches("\n%.ci/run: tests, compiled by clang: 0%.%d minutes\n", result.output)
    assert.matches("\n%.ci/run: 0 minutes; 0 parts failed\n$", result.output)
    if result.output:find "not root" then return end
    assert.matches("\ntesting tsan %-L threads as root\n", result.output)
    assert.matches("\ntesting dev  as nobody\n", result.output)
    assert.matches("\nrunning inject\n", result.output)
    assert.matches("\nrunning kills\n", result.output)
  end)

  it("goes on after a part that fails, names it, and fails", function()
    local result = run "[[ $preset != dev-clang ]]"
    assert.equal(1, result.status)
    assert.matches("\n%.ci/run: tests, compiled by clang: 0%.%d minutes, FAILED\n", result.output)
    assert.matches("\ntesting sanitize ", result.output)
    assert.matches("1 parts failed: tests, compiled by clang\n$", result.output)
  end)

  it("ends with how the failures began, since what it prints before is long", function()
    local result = run [==[
[[ $preset != dev-clang ]] || printf '%s\n' '1/2 Testing: spec/a' 'Failure -> spec/a_spec.lua @ 7' 'Expected 1.' \
  'Test Failed.' '2/2 Testing: recorded/b' 'b differs' 'Test Failed.' >build/$preset/Testing/Temporary/LastTest.log
[[ $preset != dev-clang ]]]==]
    local told = result.output:match "how the failures began[^\n]*\n(.*)%.ci/run:"
    for _, text in ipairs { "spec/a:\n  Failure %-> spec/a_spec%.lua @ 7\n  Expected 1%.\n", "recorded/b:\n",
      "  b differs\n", "%-%- tests, compiled by clang\n$" } do
      assert.matches(text, told)
    end
  end)

  it("fails when a spec is pending", function()
    local result = run [==[
[[ $preset != sanitize || -n $* ]] ||
  echo '3 successes / 0 failures / 0 errors / 1 pending : 1 seconds' >>build/$preset/Testing/Temporary/LastTest.log]==]
    assert.equal(1, result.status)
    assert.matches("/ 1 pending : 1 seconds\n%.ci/run: specs are pending, see above\n", result.output)
    assert.matches("\n%.ci/run: 0 minutes; 1 parts failed: tests and fuzzers under ", result.output)
  end)

  it("fails when a part that runs beside another one fails", function()
    if program.shell("id -u").output ~= "0\n" then return end
    local result = run "[[ $preset != tsan ]]"
    assert.equal(1, result.status)
    assert.matches("1 parts failed: specs with hosts under the thread sanitizer\n$", result.output)
  end)
end)
