local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

-- script/test in a tree of its own, with a ctest that only prints these lines.
describe("script/test", function()
  local function run(lines, status, before)
    local place <close> = scratch.open()
    local script <close> = assert(io.open(os.getenv "LUNET_SOURCE" .. "/script/test"))
    place:write("script/test", script:read "a")
    for _, name in ipairs { "script/packages", "script/build" } do place:write(name, "#!/bin/sh\n") end
    place:write("ctest", ("#!/bin/sh\n%s\ncat <<'END'\n%s\nEND\nexit %d\n"):format(before or "", lines, status))
    return program.shell(("cd %s && chmod +x script/* ctest && PATH=$PWD:$PATH exec script/test"):format(place.path))
  end

  local function line_of(number, name, how, seconds)
    return ("%3d/7 Test #%d: %s %s %s %7.2f sec"):format(number, number, name, ("."):rep(40 - #name), how, seconds)
  end

  it("prints a line for each test, the five slowest, and the result last", function()
    local lines = { "      Start  1: spec/a" }
    for i, seconds in ipairs { 0.5, 3, 12.34, 0.07, 9, 2.5, 10 } do
      lines[#lines + 1] = line_of(i, "spec/" .. ("abcdefg"):sub(i, i), i == 5 and "***Failed " or "  Passed ", seconds)
    end
    table.move({ "", "86% tests passed, 1 tests failed out of 7", "", "Total Test time (real) = 20.00 sec" }, 1, 4,
      #lines + 1, lines)
    local result = run(table.concat(lines, "\n"), 8)
    assert.equal(8, result.status)
    assert.not_matches("Start", result.output)
    assert.matches("\n  7/7 Test #7: spec/g %.+   Passed    10.00 sec\n", result.output)
    assert.matches("sec\nThe slowest: spec/c 12.3 s, spec/g 10.0 s, spec/e 9.0 s, spec/b 3.0 s, spec/f 2.5 s\n"
      .. "86%% tests passed, 1 tests failed out of 7\n$", result.output)
  end)

  it("names fewer if fewer ran", function()
    local result = run(line_of(1, "spec/a", "  Passed ", 0.5) .. "\n100% tests passed, 0 tests failed out of 1", 0)
    assert.equal(0, result.status)
    assert.matches("\nThe slowest: spec/a 0.5 s\n100%% tests passed, 0 tests failed out of 1\n$", result.output)
  end)

  it("names none if none ran", function()
    local result = run("No tests were found!!!", 8)
    assert.equal(8, result.status)
    assert.matches("No tests were found!!!\n$", result.output)
  end)

  it("fails if a test has left a process behind, and names it", function()
    local place <close> = scratch.open()
    local result = run(line_of(1, "spec/a", "  Passed ", 0.5) .. "\n100% tests passed, 0 tests failed out of 1", 0,
      ("sleep 600 >/dev/null 2>&1 & echo $! >%s/pid"):format(place.path))
    local file <close> = assert(io.open(place.path .. "/pid"))
    local pid = file:read "l"
    program.shell("kill " .. pid)
    assert.equal(1, result.status)
    assert.matches(("\nscript/test: a test has left a process behind: %s sleep 600 \n"):format(pid), result.output)
    assert.matches("\n100%% tests passed, 0 tests failed out of 1\n$", result.output)
  end)
end)
