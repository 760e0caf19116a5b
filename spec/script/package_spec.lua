-- script/package in a tree of its own, whose tools only say that they were called. .ci/run calls it with the real ones.
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local SCRIPT <const> = os.getenv "LUNET_SOURCE" .. "/script/package"

local IS_ROOT <const> = program.shell("id -u").output == "0\n"

local CHANGELOG <const> = [[
lunet (1.2.3) unstable; urgency=medium

  * Made.

 -- lunet maintainers <nobody@example.org>  Sun, 29 Nov 2026 00:00:00 +0000
]]

local BUILDER <const> = [[
echo "builds $(basename "$PWD") of $(cat source.lua)" >>PLACE/calls
touch ../lunet_1.2.3_all.deb ../lunet_1.2.3_all.changes; exit ${BUILDER-0}]]

describe("script/package", function()
  local place, tree

  local function write(name, text)
    program.shell("chmod +x " .. place:write(name, "#!/bin/bash\n" .. text:gsub("PLACE", place.path)))
  end

  before_each(function()
    place = scratch.open()
    tree = place.path .. "/tree"
    local script <close> = assert(io.open(SCRIPT))
    write("tree/script/package", script:read "a")
    place:write("tree/debian/changelog", CHANGELOG)
    place:write("tree/source.lua", "one")
    place:write("tree/build/dev/lunet", "not a source")
    place:write("calls", "")
    program.shell("chmod 755 " .. place.path)
    write("bin/debootstrap", "")
    write("bin/dpkg-parsechangelog",
      [[test "$4" = Timestamp && echo 1796000000 || sed -n '1s/.*(\(.*\)).*/\1/p' "$2"]])
    write("bin/dh", "")
    write("bin/dpkg-buildpackage", BUILDER)
    write("bin/lintian", "echo \"checks ${*: -1}\" >>PLACE/calls; echo \"${COMPLAINT-}\"; [[ -z ${COMPLAINT-} ]]")
  end)
  after_each(function() place:close() end)

  local function run(words, environment)
    local result = program.shell(("%s PATH=%s/bin:$PATH %s/script/package %s"):format(environment or "", place.path,
      tree, words))
    result.calls = place:read "calls"
    place:write("calls", "")
    return result
  end

  local BUILT <const> = "builds lunet-1.2.3 of one\n"
  local function checked() return "checks " .. tree .. "/build/package/lunet_1.2.3_all.changes\n" end

  it("builds and checks a package once for each state of the tree", function()
    local result = run "build"
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.matches("^script/package: built lunet_1%.2%.3_all%.deb, %d+ s\n.*lintian has no complaint", result.output)
    assert.equal(BUILT .. checked(), result.calls)
    place:write("tree/build/dev/lunet", "built anew")
    result = run "build"
    assert.same({ 0, "" }, { result.status, result.calls })
    assert.matches("lunet 1.2.3 is built already", result.output, 1, true)
    place:write("tree/source.lua", "two")
    assert.equal(BUILT:gsub("one", "two") .. checked(), run "build".calls)
  end)

  it("fails when lintian complains, also when it is called again", function()
    for _ = 1, 2 do
      local result = run("build", "COMPLAINT='W: lunet: no-manual-page'")
      assert.same({ 3, BUILT .. checked() }, { result.status, result.calls })
      assert.matches("W: lunet: no-manual-page", result.output, 1, true)
      assert.matches("lintian complains", result.errors, 1, true)
    end
  end)

  it("fails when the package cannot be built, and tries none then", function()
    local result = run("build", "BUILDER=2")
    assert.same({ 3, BUILT }, { result.status, result.calls })
    assert.matches("dpkg-buildpackage failed", result.errors, 1, true)
    if not IS_ROOT then return end
    result = run "try"
    assert.equal(3, result.status)
    assert.matches("there is no package: run script/package build\n$", result.errors)
  end)

  it("makes a bare Debian only for root", function()
    local result = run("try", IS_ROOT and "setpriv --reuid=nobody --regid=nogroup --clear-groups env" or nil)
    assert.same({ 3, "script/package: only root makes a bare Debian\n" }, { result.status, result.errors })
  end)

  it("names the group of a tool that is missing", function()
    assert(os.execute(("ln -s \"$(command -v dirname)\" %s/bin && rm %s/bin/dh"):format(place.path, place.path)))
    local result = program.shell(("PATH=%s/bin %s/script/package build"):format(place.path, tree))
    assert.same({ 3, "script/package: dh is missing: run script/packages release\n" }, { result.status, result.errors })
  end)

  it("says how it is used", function()
    local result = run "publish"
    assert.equal(2, result.status)
    assert.matches("^usage: script/package %[build|try%]\n  build  builds", result.errors)
  end)
end)
