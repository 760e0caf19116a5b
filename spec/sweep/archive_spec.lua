-- The archive of real sweeps: what is in it, and what is refused.
local lfs = require "lfs"
local lunet = require "lunet"
local program = require "spec.support.program"
local stage = require "spec.support.command_stage"
local store = require "lunet.sweep.store"

local LUNET <const> = program.quote(os.getenv "LUNET")

local FAKE <const> = [[
  local helper = require "parts.helper"
  return require "lunet.experiment" {
    claim = "It is so.",
    knobs = { backlog = { 5, "connections", "" }, seed = { 1, "number", "" } },
    measures = { goodput = { "/s", "requests answered in time", better = "more" } },
    run = function(knobs)
      local file <close> = assert(io.open(require("lunet").beside "data.txt"))
      return { goodput = knobs.backlog * file:read "n" + helper.seed(knobs) }
    end,
    check = function() end,
  }]]

describe("the archive of a sweep", function()
  local place
  before_each(function()
    place = stage.open()
    place:write("fake.lua", FAKE)
    place:write("data.txt", "100")
    place:write("parts/helper.lua", "return { seed = function(knobs) return knobs.seed end }")
  end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function sweep(words, environment) return stage.run("sweep " .. words, environment) end

  local function shell(command)
    local result = program.shell(("cd %s && %s"):format(program.quote(place.path), command))
    assert.same({ 0, "" }, { result.status, result.errors })
    return result.output
  end

  local function refused(words, status, message)
    local result = sweep(words)
    assert.same({ status, "" }, { result.status, result.output })
    assert.equal(("lunet: sweep: %s\n"):format(message), result.errors)
  end

  before_each(function() assert.equal(0, sweep("fake.lua --backlog 1..2 --runs 2 --into out").status) end)

  it("has plan, records, report, script with what it needs, and the lines that repeat the sweep", function()
    assert.equal(0, sweep("fake.lua --backlog 3 --runs 2 --mix --into=out --seed=1").status)
    place:write("out/runs/.0123456789abcdef", "left aside")
    local result = sweep "--report out --archive paper.tar.gz"
    assert.equal(0, result.status)
    local names = {}
    for name in shell "tar tzf paper.tar.gz":gmatch "[^\n]+" do names[#names + 1] = name end
    local sorted = table.move(names, 1, #names, 1, {})
    table.sort(sorted)
    assert.same(sorted, names)
    local listed = "\n" .. table.concat(names, "\n") .. "\n"
    for _, name in ipairs { "", "README.md", "plan.json", "report.html", "results.csv", "summary.csv", "runs/",
      "script/fake.lua", "script/data.txt", "script/parts/helper.lua" } do
      assert.matches(("\npaper/%s\n"):format(name), listed, 1, true)
    end
    for _, name in ipairs(store.new(place.path .. "/out"):names()) do
      assert.matches(("\npaper/runs/%s.json\n"):format(name), listed, 1, true)
    end
    assert.is_nil(listed:find("runs/.", 1, true))
    shell "tar xzf paper.tar.gz"
    local commands = place:read "paper/README.md":match "\n    (cd script\n.-)\n\n"
    assert.equal("cd script\n    lunet sweep fake.lua --backlog 1..2 --runs 2 --into ../again\n"
      .. "    lunet sweep fake.lua --backlog 3 --runs 2 --seed=1 --into ../again", commands)
    program.shell(("lunet() { %s \"$@\"; }; cd %s/paper && %s"):format(LUNET, program.quote(place.path), commands))
    assert.equal(place:read "out/summary.csv", place:read "paper/again/summary.csv")
    assert.equal(0, sweep("--report paper").status)
    assert.equal(place:read "out/results.csv", place:read "paper/results.csv")
  end)

  it("is the same of the same sweep, whenever and wherever it is made", function()
    shell "mkdir a b"
    assert.equal(0, sweep("--report out --archive a/paper.tgz").status)
    shell "mv a/paper.tgz a/former && touch out/*"
    assert.equal(0, sweep("--report out --archive a/paper.tgz").status)
    shell "cmp a/paper.tgz a/former"
    shell(("umask 077 && cp -r out b/copy && TAR_OPTIONS=--verbose TZ=Asia/Tokyo LC_ALL=C.UTF-8 %s sweep "
      .. "--report b/copy --archive b/paper.tgz >/dev/null 2>&1"):format(LUNET))
    shell "cmp a/paper.tgz b/paper.tgz"
  end)

  it("is refused in the directory itself, and onto the script's files", function()
    shell "ln -s out link"
    local before = place:read "out/plan.json"
    for _, path in ipairs { "out/plan.json", "out/a.tgz", "out/runs/a.tgz", "link/a.tgz", "./link/../out/a.tgz" } do
      refused("--report out --archive " .. path, 2,
        ("--archive: %s is in out itself, which it would hold"):format(path))
    end
    assert.equal(before, place:read "out/plan.json")
    refused("--report out --archive fake.lua", 2, "--archive: fake.lua is the script of the sweep")
    refused("--report out --archive parts/helper.lua", 2,
      "--archive: parts/helper.lua is the module parts.helper of the sweep")
    refused("--report out --archive data.txt", 2, "--archive: data.txt is the file data.txt of the sweep")
    assert.equal(FAKE, place:read "fake.lua")
  end)

  it("is refused where it would not be that of the sweep", function()
    refused("--archive a.tgz", 2, "--archive goes with --report DIR")
    refused("--report out --archive none/a.tgz", 3, "--archive: none/a.tgz: No such file or directory")
    local lock = assert(store.new(place.path .. "/out"):lock(true))
    refused("--report out --archive a.tgz", 3, "out: another sweep is at work in it")
    lock:close()
    place:write("data.txt", "200")
    local result = sweep "--report out --archive a.tgz"
    assert.equal(3, result.status)
    assert.matches("^lunet: sweep: %-%-archive: out: file data.txt was %x+, and is %x+\n$", result.errors)
    assert(os.remove(place.path .. "/fake.lua"))
    result = sweep "--report out --archive a.tgz"
    assert.matches("^lunet: sweep: %-%-archive: [^\n]*fake.lua: No such file or directory\n$", result.errors)
    assert.is_nil(lfs.attributes(place.path .. "/a.tgz"))
  end)

  it("tells what tar says, and that it is missing", function()
    place:write("bin/tar", "#!/bin/sh\necho no luck >&2\nexit 2\n")
    shell "chmod +x bin/tar"
    local result = sweep("--report out --archive a.tgz", "PATH=" .. place.path .. "/bin:$PATH")
    assert.equal(3, result.status)
    assert.matches("\nlunet: sweep: %-%-archive: tar: no luck\n$", "\n" .. result.errors)
    result = sweep("--report out --archive a.tgz", "PATH=" .. place.path)
    assert.matches("tar is missing (install the package tar)", result.errors, 1, true)
    assert.is_nil(lfs.attributes(place.path .. "/a.tgz"))
  end)

  it("is whole or not there on a full disk, and the former one stays", function()
    place:write("full/kept", "")
    local words = LUNET .. " sweep --report out --archive full/a.tgz >/dev/null; echo $?; ls -A full"
    local result = program.shell_with_mounts(("cd PLACE && mount -t tmpfs -o size=64k none full && "
      .. "{ head -c 200k /dev/zero >full/filler 2>/dev/null; %s; rm full/filler; %s; cp full/a.tgz former; "
      .. "head -c 200k /dev/zero >full/filler 2>/dev/null; %s; cmp full/a.tgz former; }"):format(words, words, words),
      place.path)
    assert.equal("3\nfiller\n0\na.tgz\n3\na.tgz\nfiller\n", result.output)
    local full = "lunet: sweep: %-%-archive: full/a.tgz: No space left on device\n"
    assert.equal(2, select(2, result.errors:gsub(full, "")))
  end)
end)
