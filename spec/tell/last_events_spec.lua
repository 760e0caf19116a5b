local last_events = require "lunet.tell.last_events"
local lunet = require "lunet"

-- The lines of the text, without the time of each event.
local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = (line:gsub("^ *%d+%.%d%d%d  ", "")) end
  return lines
end

describe("the last events", function()
  it("are no text without a recording", function() assert.equal("", last_events.text()) end)

  it("are as many lines as were asked for, below an empty line, with who did it", function()
    local _record <close> = last_events.record(2)
    lunet.note "one"
    lunet.note "two"
    local _listener <close> = assert(lunet.listen { backlog = 7, label = "front" })
    local lines = lines_of(last_events.text())
    assert.same({ "", "", "The last of 3 events, in ms since the first:" }, table.move(lines, 1, 3, 1, {}))
    assert.same({ "         two", "front    listens, backlog 7" }, table.move(lines, 4, 5, 1, {}))
    assert.equal(5, #lines)
  end)

  it("are all of them if there are fewer, and those of this recording alone", function()
    local _record <close> = last_events.record(5)
    lunet.note "three\27[31m"
    assert.same({ "", "", "The last of 1 events, in ms since the first:", "         three\\x1b[31m" },
      lines_of(last_events.text()))
    assert.matches("\n    0%.000  ", last_events.text())
  end)

  it("are no text any more when the recording has ended", function()
    do
      local _record <close> = last_events.record(5)
      lunet.note "four"
    end
    assert.equal("", last_events.text())
  end)
end)
