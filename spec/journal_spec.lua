-- The file that the core writes while a run goes on. That its lines say what core.events says is in files/trace_spec.
local core = require "lunet.core"
local dkjson = require "dkjson"
local json = require "lunet.text.json"
local lunet = require "lunet"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local RING <const> = 16 * 1024 -- events

describe("a journal", function()
  local path, first, place

  before_each(function()
    path, place = os.tmpname(), scratch.open()
    first = core.record(false)
  end)
  after_each(function()
    os.remove(path)
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function lines_of()
    local lines = {}
    for line in io.lines(path) do lines[#lines + 1] = assert(dkjson.decode(line), line) end
    return lines
  end

  local function open(began) return assert(core.journal(path, first, began or 0)) end

  it("has the events from a number on, at the end of the file, and writes the new ones when it is asked", function()
    local file <close> = assert(io.open(path, "w"))
    file:write '{"kind":"run"}\n':flush()
    lunet.note "one"
    local journal <close> = open()
    lunet.note "two"
    assert.same({}, journal:write())
    assert.same({}, journal:write())
    lunet.note "three"
    assert.is_true(journal:write_text '{"kind":"tap"}\n')
    assert.same({}, journal:write())
    local said = {}
    for i, line in ipairs(lines_of()) do said[i] = line.text or line.kind end
    assert.same({ "run", "one", "two", "tap", "three" }, said)
  end)

  it("shows any text as the other files do", function()
    local texts = { "", 'a "quote" and a \\', "\0\1\31\127", "tab\tline\nreturn\r", "\u{e9}\u{6f22}\u{1f600}",
      "\xff", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "x\xe9y", "\u{7ff}\u{800}\u{ffff}" }
    local journal <close> = open()
    for _, text in ipairs(texts) do lunet.note(text) end
    journal:write()
    for i, line in ipairs(lines_of()) do
      assert.equal(dkjson.decode(json.line { texts[i] })[1], line.text)
    end
    assert.equal(#texts, #lines_of())
  end)

  it("tells times since a moment to the nanosecond, also those before it", function()
    local began = lunet.now()
    lunet.note "after"
    for _, zero in ipairs { began + 10, began } do
      local journal <close> = open(zero)
      journal:write()
    end
    local lines = lines_of()
    assert.is_true(lines[1].at < -9 and lines[2].at >= 0 and lines[2].at < 1)
    assert.near(10, lines[2].at - lines[1].at, 2e-9)
  end)

  it("keeps what the ring loses, though nobody asks it to write #part_many", function()
    local journal <close> = open()
    for i = 1, RING + 5000 do lunet.note(tostring(i)) end
    assert.is_true(#lines_of() > RING)
    journal:write()
    local lines = lines_of()
    assert.equal(RING + 5000, #lines)
    for i, line in ipairs(lines) do
      if line.text ~= tostring(i) then error(("line %d is %s"):format(i, line.text)) end
    end
  end)

  it("hands back the looks at counters and sockets", function()
    local home <close> = assert(lunet.host "looked_at")
    core.record(true)
    local journal <close> = open()
    lunet.note "a look"
    local looks = journal:write()
    core.record(false)
    local kinds = {}
    for _, look in ipairs(looks) do
      kinds[look.kind] = type(look.text)
      assert.is_true(look.host == core.host_number(home) or look.host == 0)
    end
    assert.same({ counters = "string", sockets = "string" }, kinds)
    for _, line in ipairs(lines_of()) do assert.equal("note", line.kind) end
    assert.same({}, journal:write())
  end)

  it("hands back no look that is the same as the one before", function()
    local _host <close> = assert(lunet.host "looked_at")
    core.record(true)
    local journal <close> = open()
    for _ = 1, 20 do
      lunet.note "nothing has changed"
      lunet.sleep(0.002)
    end
    local looks = journal:write()
    core.record(false)
    assert.is_true(#looks <= 4) -- counters and sockets, of home and of the host
  end)

  it("hands back the last looks of too many #part_many", function()
    local host <close> = assert(lunet.host "looked_at")
    core.record(true)
    local journal <close> = open()
    -- A slow machine looks less often. How many it has seen that differ, and the last one:
    local function looks_at_sockets()
      local count, last = 0, nil
      for _, event in ipairs((core.events(first))) do
        if event.kind == "sockets" and event.host == core.host_number(host) then
          count, last = count + (event.text ~= last and 1 or 0), event.text
        end
      end
      return count, last
    end
    local backlog = 0
    repeat
      for _ = 1, 200 do
        backlog = backlog + 1
        local _listener <close> = assert(host:listen { port = 0, backlog = backlog })
        lunet.sleep(0.002)
        lunet.note "another listener"
      end
    until looks_at_sockets() > 256 or backlog == 20000
    local looks = journal:write()
    core.record(false)
    local _, last = looks_at_sockets()
    assert.equal(256, #looks)
    assert.equal(last, looks[#looks].text)
  end)

  it("writes the segments of a capture from a number on, and says whether some are forgotten", function()
    local host <close> = assert(lunet.host "h")
    local capture <close> = assert(core.capture(host, 4))
    local journal <close> = open()
    local listener <close> = assert(host:listen { port = 0, backlog = 1 })
    local _client <close> = assert(host:connect(listener, 10))
    assert(lunet.eventually(function() return capture:statistics().seen >= 6 end, 60)) -- three, each sent and received
    local seen = capture:statistics().seen
    assert.same({ seen, true }, { journal:write_segments(capture, 0) })
    assert.same({ seen, false }, { journal:write_segments(capture, seen - 2) })
    assert.same({ seen, false }, { journal:write_segments(capture, seen) })
    journal:write()
    local lines, kept = {}, capture:segments()
    for _, line in ipairs(lines_of()) do
      if line.kind == "tap" then lines[#lines + 1] = line end
    end
    assert.equal(6, #lines)
    local last = kept[#kept]
    assert.same({ last.direction, last.from, last.to, last.flags, last.sequence, true, core.host_number(host) },
      { lines[6].direction, lines[6].from, lines[6].to, lines[6].flags, lines[6].sequence, lines[6].at_loopback,
        lines[6].host })
  end)

  it("ends with a whole line on a full disk, and counts what it lacks #part_many", function()
    local result = program.shell_with_mounts([[
      mount -t tmpfs -o size=8k tmpfs PLACE && : >PLACE/t && exec "$LUNET" -e '
        local core, lunet = require "lunet.core", require "lunet"
        local journal = assert(core.journal("PLACE/t", core.record(false), 0))
        for i = 1, 3000 do lunet.note(("%d "):format(i) .. ("x"):rep(i % 50)) end
        local ok, _, code = journal:write()
        local lines = 0
        for line in io.lines("PLACE/t", "L") do
          lines = lines + 1
          assert(line:find("^{ \"at\":%S+ \"kind\":\"note\", \"text\":\"" .. lines .. " x*\" }\n$"), line)
        end
        print(ok, code, lines + journal:lost(), lines < 3000)']], place.path)
    assert.same({ 0, "nil\tENOSPC\t3000\ttrue\n", "" }, { result.status, result.output, result.errors })
  end)

  it("knows whether its file still has its name", function()
    local journal <close> = open()
    assert.is_true(journal:check(path))
    assert(os.rename(path, path .. ".1"))
    local ok, message, code = journal:check(path)
    assert.same({ nil, path .. ": it was moved, removed or replaced during the run", "ESTALE" }, { ok, message, code })
    assert.is_true(journal:check(path .. ".1"))
    local other <close> = assert(io.open(path, "w"))
    assert.equal("ESTALE", (select(3, journal:check(path))))
    os.remove(path .. ".1")
    assert.is_true(other:write "x" ~= nil)
  end)

  it("is refused without a file, and beside another one", function()
    local none, message, code = core.journal("/nowhere/x", first, 0)
    assert.same({ "nil", "/nowhere/x: no such file or directory (ENOENT)", "ENOENT" }, { type(none), message, code })
    local _journal <close> = open()
    assert.equal("EBUSY", (select(3, core.journal(path, first, 0))))
  end)

  it("is refused when the ring has lost an event #part_many", function()
    for _ = 1, RING + 1 do lunet.note "" end
    assert.equal("ENOBUFS", (select(3, core.journal(path, first, 0))))
  end)

  it("tells of a full disk, and writes nothing more then #part_many", function()
    local journal <close> = assert(core.journal("/dev/full", first, 0))
    assert.same({}, journal:write())
    core.expect_no_shortage()
    lunet.note "too much"
    for _ = 1, 2 do
      local looks, message, code = journal:write()
      assert.same({ "nil", "write(2): no space left on device (ENOSPC)", "ENOSPC" }, { type(looks), message, code })
    end
    assert.equal("ENOSPC", (select(3, journal:write_text "x")))
    assert.is_nil(core.shortage()) -- the run goes on
    for _ = 1, 2 * RING do lunet.note "the run goes on" end
  end)

  it("is closed for good, and takes only what it can use", function()
    local journal = open()
    journal:close()
    journal:close()
    for _, call in ipairs { "write", "write_text", "lost", "check", "empty" } do
      assert.equal("CLOSED", (select(3, journal[call](journal, "x"))))
    end
    assert.error_matches(function() core.journal(path, -1, 0) end, "events are numbered from 0")
    assert.error_matches(function() core.journal(path, 0, 0 / 0) end, "seconds of the monotonic clock")
    assert.error_matches(function() journal.write(5) end, "lunet.journal expected")
    local open_one <close> = open()
    assert.error_matches(function() open_one:write_text {} end, "string expected")
  end)
end)
