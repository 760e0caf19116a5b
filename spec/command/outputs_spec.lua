local lfs = require "lfs"
local outputs = require "lunet.command.outputs"
local program = require "spec.support.program"
local run_of = require("lunet.run.run").of
local scratch = require "lunet.peer.scratch"

local RUN <const> = run_of { name = "a", claim = "It is.", outcome = {}, verdict = "holds", environment = {} }

describe("outputs", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  local function exists(name)
    local file <close> = io.open(place.path .. "/" .. name)
    return file ~= nil
  end

  it("are written", function()
    local files = assert(outputs.open { report = place.path .. "/r.html", svg = place.path .. "/r.svg" })
    assert.is_true(files:needs_events())
    assert.is_true(files:write(RUN))
    assert.match("^<!DOCTYPE html>.*</html>\n$", place:read "r.html")
    assert.match("^<%?xml.*</svg>\n$", place:read "r.svg")
  end)

  it("are not made before they are written, and a former one stays as it was", function()
    place:write("old.svg", "kept")
    assert(outputs.open { report = place.path .. "/r.html", svg = place.path .. "/old.svg" })
    assert.is_false(exists "r.html")
    assert.equal("kept", place:read "old.svg")
  end)

  it("that cannot be written leave the former file, and nothing else; the others are written", function()
    local result = program.shell_with_mounts([[
      mount -t tmpfs -o size=20k tmpfs PLACE && echo OLD >PLACE/r.html || exit 99
      "$LUNET" experiments/stale_replay.lua --report PLACE/r.html --trace PLACE/t.jsonl --svg PLACE/small.svg >/dev/null
      echo "status $?"
      cat PLACE/r.html
      ls -A PLACE]], place.path)
    assert.equal("status 3\nOLD\nr.html\n", result.output)
    assert.matches("^lunet: stale_replay: %-%-%l+: [^\n]*: No space left on device\n$", result.errors)
  end)

  it("of a run of more calls than lunet holds have the last ones, but a new trace has all", function()
    place:write("many.lua", [[return require "lunet.experiment" { claim = "Many.", check = function() end,
      run = function() for _ = 1, 20000 do require "lunet".note "x" end return {} end }]])
    local path = place.path .. "/t.jsonl"
    local command = ("exec '%s' %s/many.lua --trace %s"):format(os.getenv "LUNET", place.path, path)
    local function traced()
      local result = program.shell(command)
      assert.equal(0, result.status, result.errors)
      local text = place:read "t.jsonl"
      return select(2, text:gsub("\n", "")), text:match '"lost":(%d+)'
    end
    assert.same({ 20002, "0" }, { traced() })
    local lines, lost = traced() -- to a file with content
    assert.is_true(lines + lost >= 20002)
    assert.is_true(lines < 16400)
  end)

  it("that fill the disk during the run do not end it, and their failure is told", function()
    place:write("notes.lua", [[return require "lunet.experiment" { claim = "It notes.", check = function() end,
      knobs = { raises = { 0, "", "whether it raises", min = 0, max = 1 } },
      run = function(knobs)
        for _ = 1, 2000 do require "lunet".note "a note" end
        assert(knobs.raises == 0, "it raises")
        return {}
      end }]])
    local result = program.shell_with_mounts([[
      mkdir PLACE/small && mount -t tmpfs -o size=40k tmpfs PLACE/small || exit 99
      "$LUNET" PLACE/notes.lua --trace PLACE/small/t.jsonl | tail -n 1
      "$LUNET" PLACE/notes.lua --raises 1 --trace PLACE/small/t.jsonl >/dev/null
      ls -A PLACE/small]], place.path)
    assert.equal("The claim holds.\n", result.output)
    local function full(words) return "lunet: notes: %-%-trace: [^\n]*" .. words .. "[^\n]*\n" end
    assert.matches("^" .. full "small/t.jsonl: No space left on device"
      .. "lunet: notes could not run: [^\n]*it raises\n"
      .. full "no space left on device %(ENOSPC%)" .. "$", result.errors)
  end)

  it("leave what was there before when a trace fills the disk: an empty file, or a link to none", function()
    place:write("notes.lua", [[return require "lunet.experiment" { claim = "It notes.", check = function() end,
      run = function() for _ = 1, 2000 do require "lunet".note "a note" end return {} end }]])
    local result = program.shell_with_mounts([[
      mkdir PLACE/small && mount -t tmpfs -o size=40k tmpfs PLACE/small && cd PLACE/small || exit 99
      : >empty && ln -s target link
      "$LUNET" ../notes.lua --trace empty >/dev/null 2>&1
      echo $?
      "$LUNET" ../notes.lua --trace link >/dev/null 2>&1
      echo $?
      wc -c empty && readlink link && ls -A]], place.path)
    assert.equal("3\n3\n0 empty\ntarget\nempty\nlink\n", result.output)
  end)

  it("fail if somebody moves or replaces a trace that alone has all events, and touch no other file", function()
    place:write("moves.lua", ([[local lunet = require "lunet"
      return require "lunet.experiment" { claim = "It moves.", check = function() end,
        knobs = { path = { "", "path", "of the trace" } },
        run = function(knobs)
          assert(os.rename(knobs.path, knobs.path .. ".moved"))
          local other <close> = assert(io.open(knobs.path, "w"))
          other:write "other\n"
          for _ = 1, 20000 do lunet.note "x" end
          return {}
        end }]]))
    local path = place.path .. "/t.jsonl"
    local result = program.shell(("exec '%s' %s/moves.lua --path %s --trace %s"):format(os.getenv "LUNET", place.path,
      path, path))
    assert.same({ 3, ("lunet: moves: --trace: %s: it was moved, removed or replaced during the run\n"):format(path) },
      { result.status, result.errors })
    assert.equal("other\n", place:read "t.jsonl")
    assert.equal(20001, select(2, place:read "t.jsonl.moved":gsub("\n", "")))
  end)

  it("that become too large for a limit are a failure, not the end of lunet", function()
    local result = program.shell(([[ulimit -f 8; cd %s; exec "$LUNET" "$LUNET_SOURCE/experiments/stale_replay.lua" \
      --trace t.jsonl >/dev/null]]):format(place.path))
    assert.same({ 3, "lunet: stale_replay: --trace: t.jsonl: File too large\n" }, { result.status, result.errors })
    assert.is_false(exists "t.jsonl")
  end)

  it("are refused when two of them are one file, under whatever names, or the script", function()
    place:write("a.html", "OLD")
    local a = place.path .. "/a.html"
    assert(lfs.link("a.html", place.path .. "/link", true) and lfs.link(a, place.path .. "/hard")
      and lfs.link("missing", place.path .. "/dangling", true))
    for other, name in pairs {
      ["/a.html"] = a, ["/./a.html"] = a, ["/link"] = a, ["/hard"] = a,
      ["/dangling"] = place.path .. "/missing",
    } do
      local files, why, is_misuse = outputs.open { report = name, svg = place.path .. other }
      assert.same({ nil, ("--svg: %s%s is the file of --report, too"):format(place.path, other), true },
        { files, why, is_misuse })
    end
    local _, why = outputs.open { report = "/dev/stdout", svg = "/proc/self/fd/1" }
    assert.equal("--svg: /proc/self/fd/1 is the file of --report, too", why)
    _, why = outputs.open({ report = a }, place.path .. "/link")
    assert.equal(("--report: %s is the file of the script, too"):format(a), why)
    assert.equal("OLD", place:read "a.html")
    assert(outputs.open { report = a, svg = place.path .. "/b.html" })
  end)

  it("replace a file that was there", function()
    place:write("old.svg", ("long "):rep(1e5))
    local files = assert(outputs.open { svg = place.path .. "/old.svg" })
    assert(files:write(RUN))
    assert.match("</svg>\n$", place:read "old.svg")
  end)

  it("are refused where they cannot be written, with the option and the path", function()
    local files, why = outputs.open { report = place.path .. "/r.html", svg = place.path .. "/none/r.svg" }
    assert.is_nil(files)
    assert.equal(("--svg: %s/none/r.svg: No such file or directory"):format(place.path), why)
    assert.is_false(exists "r.html")
    assert.match("directory", (select(2, outputs.open { report = place.path })))
  end)

  it("tell of a full disk", function()
    local files = assert(outputs.open { svg = "/dev/full" })
    local ok, why = files:write(RUN)
    assert.is_nil(ok)
    assert.match("^%-%-svg: /dev/full: No space left on device$", why)
  end)

  it("need no events if there are none, or only the verdict's", function()
    assert.is_false(assert(outputs.open {}):needs_events())
    assert.is_false(assert(outputs.open { junit = place.path .. "/j.xml" }):needs_events())
    assert.is_true(assert(outputs.open { junit = place.path .. "/j.xml", svg = place.path .. "/s.svg" }):needs_events())
  end)

  it("of the verdict tell of a run without an outcome, and the others stay as they were", function()
    place:write("r.html", "OLD")
    local files = assert(outputs.open { report = place.path .. "/r.html", junit = place.path .. "/j.xml" })
    assert.is_true(files:write(run_of { name = "a" }:fail "no luck"))
    assert.equal("OLD", place:read "r.html")
    assert.matches('<error message="no luck"', place:read "j.xml", 1, true)
  end)
end)
