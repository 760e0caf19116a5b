-- Test results for CI systems: --junit FILE and --tap, of one experiment and of a directory. Every case is a real
-- process.
local program = require "spec.support.program"
local stage = require "spec.support.command_stage"

local run, write_script = stage.run, stage.write_script
local place

local NAME <const> = [[<b> & "n'.lua]] -- a file's name may be hostile, too

local function experiment(body, check)
  return stage.with_run(body):gsub("check = function%(%) end", "check = function() " .. check .. " end")
end

setup(function()
  place = stage.open()
  write_script("all/queue/" .. NAME, stage.with_run "return {}")
  write_script("all/bad.lua", experiment("return {}", "error('it fails', 0)"))
  write_script("all/broken.lua", experiment("error('no luck', 0)", ""))
  write_script("all/noisy.lua", stage.UNJUDGED)
end)
teardown(function() place:close() end)

-- The results that the file has: "bad failure: it fails".
local function results_in(file)
  local valid = program.shell(("exec xmllint --noout --schema '%s/doc/junit.xsd' '%s/%s'"):format(
    os.getenv "LUNET_SOURCE", place.path, file))
  assert.equal(0, valid.status, valid.errors)
  local results = {}
  for case in place:read(file):gmatch "<testcase.-</testcase>" do
    local element, why = case:match "\n<(%l+) message=\"(.-)\""
    results[#results + 1] = ("%s %s"):format(case:match " name=\"(.-)\"",
      element and ("%s: %s"):format(element, why) or "passed")
  end
  return results
end

describe("test results of a directory", function()
  it("are in the file of --junit, and printed by --tap, in the order of its table", function()
    local result = run "all --junit all.xml --tap"
    assert.equal(1, result.status)
    assert.same({ "bad failure: it fails", "broken error: no luck", "noisy skipped: the machine slept",
      "&lt;b&gt; &amp; &quot;n&#39; passed" }, results_in "all.xml")
    local lines = {}
    for line in result.output:gmatch "[^\n]+" do
      if not line:find "^ " then lines[#lines + 1] = line end
    end
    assert.same({ "TAP version 13", "1..4", "not ok 1 - bad: It runs.", "not ok 2 - broken: It runs.",
      "ok 3 - noisy: It runs. # SKIP the machine slept", [[ok 4 - <b> & "n': It runs.]] }, lines)
  end)

  it("stand beside the table, and are told of a file that cannot be written, before the runs and after them", function()
    local result = run "all --junit /nowhere/all.xml"
    assert.same({ 3, "", "lunet: --junit: /nowhere/all.xml: No such file or directory\n" },
      { result.status, result.output, result.errors })
    result = run "all --junit /dev/full"
    assert.equal(3, result.status)
    assert.matches("^experiment ", result.output)
    assert.matches("lunet: --junit: /dev/full: No space left on device\n", result.errors, 1, true)
  end)

  it("have a file of their own", function()
    assert.same({ status = 2, output = "", errors = "lunet: all: --junit: ./one is the file of --markdown, too\n" },
      run "all --markdown one --junit ./one")
    local result = run "all --json --tap"
    assert.same({ 2, "" }, { result.status, result.output })
    assert.matches("option '--tap' can not be used together with option '--json'", result.errors, 1, true)
  end)
end)

describe("the test result of one experiment", function()
  it("is that of the directory, with its exit status", function()
    for name, wanted in pairs { bad = { 1, "bad failure: it fails" }, broken = { 3, "broken error: no luck" },
      noisy = { 4, "noisy skipped: the machine slept" } } do
      place:write("one.xml", "OLD")
      local result = run(("all/%s.lua --tap --junit one.xml"):format(name))
      assert.same({ wanted[1], { wanted[2] } }, { result.status, results_in "one.xml" })
      assert.matches(("^TAP version 13\n1..1\n%sok 1 %%- %s: It runs."):format(name == "noisy" and "" or "not ", name),
        result.output)
    end
  end)

  it("is beside the story, names knobs that are no defaults, and records no more for it", function()
    local result = run "echo.lua --backlog 7 --mode=fast --junit echo.xml --json"
    assert.equal("kernel", stage.decode(result.output).environment.record)
    assert.same({ "echo --backlog 7 --mode fast passed" }, results_in "echo.xml")
    assert.matches("The claim holds.\n$", run("echo.lua --junit echo.xml").output)
    assert.same({ "echo passed" }, results_in "echo.xml")
  end)

  it("is there when the script cannot be loaded", function()
    write_script("broken.lua", "return it is")
    for _, words in ipairs { "--junit broken.xml --tap", "--tap --junit=broken.xml" } do
      local result = run("broken.lua " .. words)
      assert.equal(3, result.status)
      assert.matches("\nnot ok 1 - broken\n", result.output, 1, true)
      assert.same({ "broken error: broken.lua:1: &lt;eof&gt; expected near &#39;is&#39;" }, results_in "broken.xml")
      os.remove(place.path .. "/broken.xml")
    end
  end)

  it("is not written, nor the script run, where it cannot be: an error in TAP", function()
    local result = run "echo.lua --junit /nowhere/e.xml --tap"
    assert.equal(3, result.status)
    assert.matches("\nnot ok 1 %- echo: [^\n]*\n  %-%-%-\n  verdict: \"could not run\"\n", result.output)
    assert.matches("lunet: echo: --junit: /nowhere/e.xml: No such file or directory\n", result.errors, 1, true)
  end)

  it("is not there after a signal: the former file stays", function()
    write_script("long.lua", stage.with_run "os.execute 'kill -TERM $PPID' lunet.sleep(1000) return {}")
    place:write("long.xml", "OLD")
    local result = run "long.lua --junit long.xml --tap"
    assert.same({ 143, "", "OLD" }, { result.status, result.output, place:read "long.xml" })
    assert.equal("", program.shell(("ls '%s' | grep 'long.xml.'"):format(place.path)).output)
  end)
end)
