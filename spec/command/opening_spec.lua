-- `lunet FILE --open` with browsers that write down what they are given.
local lfs = require "lfs"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local SCRIPT <const> = [[
  local lunet = require "lunet"
  return require "lunet.experiment" {
    claim = "It is shown.", knobs = { fails = { false, "whether", "whether it fails" } },
    run = function(knobs)
      lunet.note "A note."
      if knobs.fails then error "no luck" end
      return { x = 1 }
    end,
    check = function() end,
  }
]]

describe("lunet FILE --open", function()
  local place

  before_each(function()
    place = scratch.open()
    place:write("shown.lua", SCRIPT)
  end)
  after_each(function() place:close() end)

  local function browser(name, text)
    place:write("bin/" .. name, "#!/bin/sh\n" .. text)
    assert(os.execute("chmod +x " .. place.path .. "/bin/" .. name))
  end

  -- Runs it with PATH's programs and those of bin/, and a cache in the scratch directory.
  local function run(arguments, environment)
    return program.shell(("cd %s && export XDG_CACHE_HOME=$PWD/cache PATH=$PWD/bin:$PATH %s && exec '%s' shown.lua %s")
      :format(place.path, environment or "", os.getenv "LUNET", arguments))
  end

  local function reports()
    local names = {}
    for name in lfs.dir(place.path .. "/cache/lunet/reports") do
      if name:find "^%w" then names[#names + 1] = name end
    end
    table.sort(names)
    return names
  end

  local READS <const> = 'echo "$#: $*" >words\ncat "$1" >seen\n'

  it("gives the report to the program of $BROWSER, and keeps it", function()
    browser("fake", READS)
    local result = run("--open", "BROWSER=fake")
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.matches("The claim holds", result.output)
    local names = reports()
    assert.equal(1, #names)
    assert.equal(("1: %s/cache/lunet/reports/%s\n"):format(place.path, names[1]), place:read "words")
    assert.matches("^<!DOCTYPE html>.*A note%..*</html>\n$", place:read "seen")
    assert.equal(place:read "seen", place:read("cache/lunet/reports/" .. names[1]))
  end)

  it("gives it to xdg-open without $BROWSER, and the file of --report if there is one", function()
    browser("xdg-open", READS)
    local result = run("--open --report r.html --json", "BROWSER=")
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.matches('^{.*"verdict":"holds"', result.output)
    assert.equal(("1: %s/r.html\n"):format(place.path), place:read "words")
    assert.equal(place:read "r.html", place:read "seen")
    assert.is_nil(lfs.attributes(place.path .. "/cache"))
  end)

  it("takes the first command of $BROWSER whose program is here, with the page where it wants it", function()
    browser("second", 'echo "$1 $3" >words\ncp "$2" seen\n')
    assert.equal(0, run("--open", "BROWSER='missing %s:second --new %s tab:xdg-open'").status)
    assert.equal("--new tab\n", place:read "words")
    assert.matches("^<!DOCTYPE html>", place:read "seen")
  end)

  it("leaves a browser at work, in the namespaces in which lunet began", function()
    browser("fake", "readlink /proc/self/ns/net /proc/self/ns/user >seen; echo $$ >pid; exec sleep 300")
    local result = run("--open", "BROWSER=fake; readlink /proc/self/ns/net /proc/self/ns/user >own")
    local pid = place:read("pid"):match "%d+"
    local is_alive = lfs.attributes("/proc/" .. pid) ~= nil
    os.execute("kill " .. pid)
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.is_true(is_alive)
    assert.equal(place:read "own", place:read "seen")
  end)

  it("says that the browser failed, and where the report is", function()
    browser("fake", "exit 4")
    local result = run("--open --report r.html", "BROWSER=fake")
    assert.same({ 3, ("lunet: shown: --open: fake ended with status 4; the report is %s/r.html\n"):format(place.path) },
      { result.status, result.errors })
  end)

  it("opens nothing if the run has no outcome", function()
    browser("fake", READS)
    local result = run("--open --fails true", "BROWSER=fake")
    assert.equal(3, result.status)
    assert.is_nil(lfs.attributes(place.path .. "/words"))
    assert.same({}, reports())
  end)

  it("does not run without a browser, or a place for the report", function()
    local bare = ("PATH=%s/bin BROWSER=missing"):format(place.path)
    local result = run("--open", bare)
    assert.equal(3, result.status)
    assert.equal("lunet: shown: --open: there is no browser: BROWSER is 'missing', which is missing, and xdg-open is "
      .. "missing (install the package xdg-utils)\n", result.errors)
    assert.equal("", result.output)
    assert.matches("there is no browser: BROWSER is not set, and", run("--open", bare .. "; unset BROWSER").errors)
    browser("fake", READS)
    assert.equal("lunet: shown: --open: neither XDG_CACHE_HOME nor HOME names a directory\n",
      run("--open", "BROWSER=fake; unset XDG_CACHE_HOME HOME").errors)
    place:write("file", "no directory")
    assert.matches("^lunet: shown: %-%-open: .*Not a directory\n$",
      run("--open", "BROWSER=fake XDG_CACHE_HOME=$PWD/file").errors)
  end)

  it("keeps the ten newest reports, and no other file of the directory goes", function()
    browser("fake", READS)
    for i = 1, 14 do
      local path = place:write(("cache/lunet/reports/old-%d.html"):format(i), "old")
      assert(lfs.touch(path, 1e9 + i))
    end
    lfs.touch(place:write("cache/lunet/reports/notes.html", "mine"), 5)
    assert.equal(0, run("--open", "BROWSER=fake").status)
    local names = reports()
    assert.same({ 11, "notes.html" }, { #names, names[1] })
    assert.same({ "old-10.html", "old-11.html", "old-12.html", "old-13.html", "old-14.html", "old-6.html" },
      table.move(names, 2, 7, 1, {}))
    assert.matches("^shown%-%d+%.html$", names[11])
  end)
end)
