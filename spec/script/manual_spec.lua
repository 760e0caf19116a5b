local help = require "spec.support.help"
local listing = require "spec.support.listing"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local LUNET <const> = program.quote(os.getenv "LUNET")

local HAS_MAN <const> = os.execute "command -v man >/dev/null"
local MISSING <const> = "man-db is not installed (script/packages release)"

local function manual(words)
  return program.shell(("exec %s/script/manual %s"):format(program.quote(os.getenv "LUNET_SOURCE"), words))
end

local function escaped(text) return (text:gsub("%-", "\\-")) end

describe("script/manual", function()
  local place, pages
  setup(function()
    place, pages = scratch.open(), {}
    local directory = place.path .. "/man"
    local result = manual(LUNET .. " " .. program.quote(directory))
    assert.same({ 0, "", "" }, { result.status, result.output, result.errors })
    for _, name in ipairs(listing(directory)) do pages[name] = place:read("man/" .. name) end
  end)
  teardown(function() place:close() end)

  it("makes lunet(1), and a page for each command that has a help", function()
    local wanted = { ["lunet.1"] = true }
    for word in help.of "":gmatch "\n  lunet ([%l-]+) " do
      if word ~= "--virtual-time" then wanted["lunet-" .. word:gsub("^%-*", "") .. ".1"] = true end
    end
    local made = {}
    for name in pairs(pages) do made[name] = true end
    assert.same(wanted, made)
    assert.is_true(made["lunet-queues.1"] and made["lunet-sweep.1"])
  end)

  it("names every option of the helps", function()
    for page, words in pairs { ["lunet.1"] = { "", "experiments" }, ["lunet-queues.1"] = { "queues" },
      ["lunet-sweep.1"] = { "sweep" }, ["lunet-kernel.1"] = { "--kernel" }, ["lunet-doctor.1"] = { "doctor" } } do
      for _, word in ipairs(words) do
        local options = help.options(help.of(word))
        assert.is_true(#options > 1, page)
        for _, option in ipairs(options) do assert.matches("\n.B " .. escaped(option) .. "\n", pages[page], 1, true) end
      end
    end
  end)

  it("names the options of every experiment, without the knobs of one", function()
    local page, knobs = pages["lunet.1"], 0
    for _, option in ipairs(help.options(help.of "experiments/stale_replay.lua")) do
      local is_knob = option:find " VALUE$" ~= nil
      if is_knob then knobs = knobs + 1 end
      if option ~= "--control" then -- only some have it
        assert.equal(not is_knob, page:find("\n.B " .. escaped(option) .. "\n", 1, true) ~= nil, option)
      end
    end
    assert.equal(4, knobs)
    assert.matches("\n.B \\-\\-until 'FIGURE 5%'\n", pages["lunet-sweep.1"], 1, true)
  end)

  it("says what every number of lunet queues is", function()
    for name in program.shell(LUNET .. " queues --explain").output:gmatch "\n  ([%l_]+)\n" do
      assert.matches("\n.TP\n.B " .. name .. "\n", pages["lunet-queues.1"], 1, true)
    end
  end)

  it("names no directory of the build, which an installation does not have", function()
    for name, page in pairs(pages) do
      for _, build in ipairs { os.getenv "LUNET_BUILD", place.path } do
        assert.is_nil(page:find(build, 1, true), name)
      end
    end
  end)

  it("makes pages that man(1) shows without a warning", function()
    if not HAS_MAN then return pending(MISSING) end
    for name in pairs(pages) do
      local shown = program.shell(("LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l %s/man/%s"):format(place.path, name))
      assert.same({ 0, "" }, { shown.status, shown.errors })
      assert.matches("\nNAME\n", shown.output)
      for _, section in ipairs { "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "SEE ALSO" } do
        local _, count = ("\n" .. shown.output):gsub("\n" .. section .. "\n", "")
        assert.equal(1, count, name .. ": " .. section)
      end
    end
  end)

  it("says how it is used", function()
    local result = manual ""
    assert.same({ 2, "", "usage: script/manual LUNET DIRECTORY\n" }, { result.status, result.output, result.errors })
  end)

  it("fails if the program does, and leaves the pages that were there", function()
    local former = place:write("former/lunet.1", "")
    assert.not_equal(0, manual("/nowhere/lunet " .. place.path .. "/former").status)
    assert(io.open(former)):close()
  end)
end)
