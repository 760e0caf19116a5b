-- Every example of the reference runs, prints what it says it prints, and calls what it is an example of. A second run
-- makes that call in a plain coroutine, which refuses exactly the calls that the reference marks as waiting. The
-- functions of modules make several calls, so that a refusal may come in the middle: those are not tried.
local example = require "spec.reference.example"
local exports = require "spec.support.exports"
local library = require "spec.reference.library"
local lunet = require "lunet"
local page = require "spec.reference.page"
local writer = require "spec.reference.writer"

local read = library.read(os.getenv "LUNET_SOURCE")
local tables = exports.tables()

-- They ask first, and wait only if they must: else nothing refuses them.
local ASK_FIRST <const> = { ["lunet.can"] = true, ["lunet.eventually"] = true, ["lunet.lan"] = true,
  ["lunet.link"] = true, ["link:cut"] = true, ["link:mend"] = true, ["link:plug"] = true, ["link:unplug"] = true,
  ["capture:expect"] = true }

local REFUSAL <const> = "a plain coroutine cannot wait"

-- Tries a call in a plain coroutine first. Returns whether that was refused, or else the results.
local function try_in_coroutine(fn, ...)
  local results = table.pack(pcall(coroutine.wrap(function(...)
    local results = table.pack(fn(...))
    return table.unpack(results, 1, results.n)
  end), ...))
  if results[1] then return false, table.unpack(results, 2, results.n) end
  if not lunet.traceback(results[2]):find(REFUSAL, 1, true) then error(results[2], 0) end
  return true
end

-- Counts the calls of a function until the end of the block. With `tries` it notes whether a coroutine is refused.
local function watched(holder, name, seen, tries)
  local fn = holder[name]
  seen.calls = 0
  holder[name] = function(...)
    seen.calls = seen.calls + 1
    if not tries then return fn(...) end
    local results = table.pack(try_in_coroutine(fn, ...))
    if not results[1] then return table.unpack(results, 2, results.n) end
    seen.is_refused = true
    return fn(...)
  end
  return setmetatable({}, { __close = function() holder[name] = fn end })
end

describe("the example of", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  for _, about in ipairs(library.pages()) do
    for _, declaration in ipairs(writer.functions(read, about)) do
      local name = about.holder .. declaration.separator .. declaration.name
      local lines = example.whole(read, about, page.example(declaration.text))

      it(name .. " prints what it says", function()
        local agrees, why = example.agrees(lines, lunet.scope(example.run, lines))
        assert(agrees, why)
      end)

      local holder = tables[about.class:match "[^.]*$"] or about.module ~= "lunet.assert" and exports.of_module(about)
      if holder then
        it(name .. (" calls it, and it %s"):format(declaration.is_async and "waits" or "does not wait"), function()
          local seen = {}
          do
            local _undo <close> = watched(holder, declaration.name, seen, not about.module)
            lunet.scope(example.run, lines)
          end
          assert.is_true(seen.calls > 0)
          if about.module or declaration.is_async and ASK_FIRST[name] then return end
          assert.equal(declaration.is_async, seen.is_refused == true)
        end)
      end
    end
  end
end)
