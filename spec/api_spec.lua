local api = require "spec.api"
local exports = require "spec.support.exports"
local library = require "spec.reference.library"
local lunet = require "lunet"
local program = require "spec.support.program"
local raised_by = require "spec.support.raised"
local room = require "spec.support.room"
local waits = require "spec.support.waits"

local BOUND <const> = require "spec.support.bound"

local function names_in_api(class)
  local names = {}
  for name in pairs(api[class]) do names[#names + 1] = name end
  table.sort(names)
  return names
end

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("the table of the API", function()
  it("lists every function of lunet and every method of its types, and none that is not there", function()
    local tables = exports.tables()
    for class, holder in pairs(tables) do assert.same(exports.names(holder), names_in_api(class), class) end
    for class in pairs(api) do assert.is_table(tables[class], class) end
  end)
end)

describe("the documentation", function()
  local read = library.read(os.getenv "LUNET_SOURCE")

  for class, functions in pairs(api) do
    local documented = read:functions(class == "lunet" and class or "lunet." .. class)
    for name, entry in pairs(functions) do
      it("says of " .. class .. "." .. name .. " whether it waits, and with a timeout", function()
        local declaration = documented[name]
        assert.is_table(declaration)
        if entry.wait and not declaration.is_async then assert.equal("lines", name) end -- its iterator waits
        local last = declaration.parameters[#declaration.parameters]
        if entry.takes_timeout and name ~= "within" then assert.equal("timeout", last and last.name) end
      end)
    end
  end
end)

waits.each(function(name, entry)
  describe(name .. " waiting", function()
    local place

    before_each(function() place = room.open(entry.besides) end)
    after_each(function() place:close() end)

    if entry.takes_timeout then
      for _, timeout in ipairs { 0, 1e-9, 0.002 } do
        it(("gives TIMEOUT after %g seconds, in the main script and in a task"):format(timeout), function()
          local before = lunet.now()
          local result, message, code = entry.wait(place, timeout)
          assert.is_true(lunet.now() - before >= timeout)
          assert.is_nil(result)
          assert.is_string(message)
          assert.equal("TIMEOUT", code)
          assert.equal("TIMEOUT", select(4, lunet.spawn(entry.wait, place, timeout):join(BOUND)))
        end)
      end

      it("refuses what is no timeout", function()
        for _, timeout in ipairs { -1, 0 / 0, "1", {}, true } do
          assert.matches("a timeout is a number of seconds, 0 or more; not ", raised_by(entry.wait, place, timeout))
        end
      end)
    end

    if entry.handle then
      it("gives CLOSED when another task closes what it waits on", function()
        local task = waits.start(entry, place)
        place[entry.handle]:close()
        local _, result, message, code = task:join(BOUND)
        assert.is_nil(result)
        assert.is_string(message)
        assert.equal("CLOSED", code)
      end)

      it("gives CLOSED in the main script when a task closes what it waits on", function()
        local closer = lunet.spawn(function() place[entry.handle]:close() end)
        assert.equal("CLOSED", select(3, entry.wait(place)))
        assert(closer:join(BOUND))
      end)

      it("gives CLOSED at once when it is closed already, also after collection", function()
        place[entry.handle]:close()
        collectgarbage()
        assert.equal("CLOSED", select(3, entry.wait(place)))
        assert.equal("CLOSED", select(3, entry.wait(place, 0)))
      end)
    end

    it("raises CANCELED when the task is canceled, and leaves nothing open", function()
      local handles = #lunet.open_handles()
      local raised
      local task = waits.start({ wait = function()
        raised = raised_by(entry.wait, place)
        error(raised, 0)
      end }, place)
      assert.is_nil(raised)
      task:cancel()
      assert.equal("CANCELED", select(3, task:join(BOUND)))
      assert.equal("CANCELED", raised.code)
      assert.equal(handles, #lunet.open_handles())
    end)

    it("goes on waiting through a collection", function()
      local task = waits.start(entry, place)
      collectgarbage()
      collectgarbage()
      assert.equal("TIMEOUT", select(3, task:join(0.001)))
      task:cancel()
      assert.equal("CANCELED", select(3, task:join(BOUND)))
    end)

    if entry.finish then
      it("ends with its results when what it waits for happens, also after a collection", function()
        local task = waits.start(entry, place)
        collectgarbage()
        collectgarbage()
        local wanted = table.pack(true, entry.finish(place))
        assert.same(wanted, table.pack(task:join(BOUND)))
      end)
    end

    it("is refused in a plain coroutine, before anything starts", function()
      local handles = lunet.open_handles()
      local refusal = "a plain coroutine cannot wait: start it with lunet%.spawn"
      assert.matches(refusal, raised_by(coroutine.wrap(entry.wait), place))
      local task = lunet.spawn(function() return raised_by(coroutine.wrap(entry.wait), place) end)
      assert.matches(refusal, select(2, task:join(BOUND)))
      assert.same(handles, lunet.open_handles())
    end)

    it("is refused to a task inside a sort callback, before anything starts", function()
      local handles = lunet.open_handles()
      local message
      local task = lunet.spawn(table.sort, { 2, 1 }, function()
        message = raised_by(entry.wait, place)
      end)
      assert(task:join(BOUND))
      assert.matches("a task cannot wait here", message)
      assert.same(handles, lunet.open_handles())
    end)
  end)
end)

describe("a program that ends while everything waits", function()
  local endings = {
    ["at its end"] = { "", 0 },
    ["by os.exit(0, true)"] = { "os.exit(0, true)", 0 },
    ["by os.exit(7, true) in a task"] = { "lunet.spawn(os.exit, 7, true) lunet.sleep(10)", 7 },
    ["by os.exit(7)"] = { "os.exit(7)", 7 },
    ["by an error"] = { "error 'boom'", 1, "boom" },
    ["by an error in a task"] = { "lunet.spawn(error, 'boom') lunet.sleep(10)", 1, "boom" },
  }
  local waiting = 0
  waits.each(function() waiting = waiting + 1 end)

  for how, ending in pairs(endings) do
    it("keeps its status and says nothing else: " .. how, function()
      local result = program.lunet([[
local lunet = require "lunet"
print(require("spec.support.waits").start_all())
]] .. ending[1])
      assert.same({ ending[2], waiting .. "\n" }, { result.status, result.output })
      assert.matches(ending[3] or "^$", result.errors)
    end)
  end
end)
