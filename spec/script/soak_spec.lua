local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

-- ctest's answer: two specs, one of them in parts, and a test that is no spec.
local CTEST <const> = [[#!/bin/sh
case " $* " in
  *" --label-regex ^spec\$ --label-exclude ^slow\$ "*) ;;
  *) exit 8 ;;
esac
cat <<'END'
{ "tests": [
  { "name": "spec/b", "command": ["lunet", "busted", "--exclude-tags=part_x", "spec/b_spec.lua"] },
  { "name": "spec/b/x", "command": ["lunet", "busted", "--tags=part_x", "spec/b_spec.lua"] },
  { "name": "spec/c/a", "command": ["lunet", "busted", "spec/c/a_spec.lua"] },
  { "name": "lint/prose", "command": ["sh", "script/check-prose"] } ] }
END]]

-- script/soak in a tree of its own. Its lunet prints its arguments, and then does what `says` has.
describe("script/soak", function()
  local function run(words, says)
    local place <close> = scratch.open()
    local script <close> = assert(io.open(os.getenv "LUNET_SOURCE" .. "/script/soak"))
    place:write("script/soak", script:read "a")
    for _, name in ipairs { "script/packages", "script/build" } do place:write(name, "#!/bin/sh\n") end
    place:write("ctest", CTEST)
    place:write("spec/b_spec.lua", "")
    place:write("build/release/lunet", ("#!/bin/sh\necho \"$*\" >>said\n%s\n"):format(says or ""))
    return program.shell(([[
      cd %s && chmod +x script/* ctest build/release/lunet && PATH=$PWD:$PATH && export PATH
      script/soak %s; status=$?
      sort -u said | sed 's/.*--exclude-tags/--exclude-tags/'
      cat build/release/soak-failures.txt
      exit $status]]):format(place.path, words))
  end

  local PASSES <const> = "echo '2 successes / 0 failures / 0 errors / 0 pending : 0.1 seconds'"

  it("runs each file of script/test once a run", function()
    local result = run("3", PASSES)
    assert.equal(0, result.status)
    assert.matches("\nall specs: commit none, uid %d+, .*: 3 runs, 0 failures, 0 pending, %d+ seconds\n",
      "\n" .. result.output)
    assert.matches("\n--exclude-tags=slow spec/b_spec.lua spec/c/a_spec.lua\n", result.output, 1, true)
  end)

  it("runs those it is given", function()
    local result = run("1 spec/b_spec.lua", PASSES)
    assert.equal(0, result.status)
    assert.matches("\nspec/b_spec.lua: commit none, ", "\n" .. result.output, 1, true)
    assert.matches("\n--exclude-tags=slow spec/b_spec.lua\n", result.output, 1, true)
  end)

  it("counts failures, crashes and pending specs, and keeps what was printed", function()
    for says, counted in pairs {
      ["echo '1 success / 2 failures / 1 error / 0 pending : 0.1 seconds'; exit 3"] = "2 runs, 6 failures, 0 pending",
      ["echo 'it crashes'; kill -SEGV $$"] = "2 runs, 2 failures, 0 pending",
      ["echo '1 success / 0 failures / 0 errors / 1 pending : 0.1 seconds'"] = "2 runs, 0 failures, 2 pending",
    } do
      local result = run("2", says)
      assert.equal(1, result.status, says)
      assert.matches(counted, result.output, 1, true)
      assert.matches("\n== run 2, exit status %d+\n" .. says:match "'(.-)'":gsub("%p", "%%%0"), result.output)
    end
  end)

  it("refuses what it cannot use", function()
    for words, why in pairs {
      [""] = "usage: ", ["0"] = "usage: ", ["x"] = "usage: ", ["-1"] = "usage: ",
      ["1 spec/none_spec.lua"] = "script/soak: there is no spec/none_spec.lua\n",
    } do
      local result = run(words)
      assert.equal(2, result.status, words)
      assert.matches("^" .. why:gsub("%p", "%%%0"), result.errors)
    end
    local help = run "--help"
    assert.equal(0, help.status)
    assert.matches("^usage: script/soak N", help.output)
  end)
end)
