local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local shell = require "lunet.text.shell"

describe("the cache of kernels", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  -- Runs a script whose cache is the place, and returns what it prints.
  local function printed(text)
    local file = place:write("script.lua", 'local cache = require "lunet.kernel.cache" ' .. text)
    local result = program.shell(shell.line { "env", "XDG_CACHE_HOME=" .. place.path, os.getenv "LUNET", file })
    assert.same({ 0, "" }, { result.status, result.errors })
    return result.output
  end

  it("is where the XDG Base Directory Specification has it", function()
    assert.equal(place.path .. "/lunet/kernels\n", printed "print(cache.path())")
    for variables, path in pairs { ["HOME=/h XDG_CACHE_HOME="] = "/h/.cache/lunet/kernels",
      ["HOME=/h XDG_CACHE_HOME=relative"] = "/h/.cache/lunet/kernels" } do
      local result = program.shell(("%s %s -e 'print(require \"lunet.kernel.cache\".path())'"):format(variables,
        os.getenv "LUNET"))
      assert.equal(path .. "\n", result.output)
    end
  end)

  it("has an entry whole or not at all", function()
    assert.equal("nil no way 0\n", printed [[
      local path, why = cache.add("c", function(aside)
        assert(io.open(aside .. "/part", "w")):close()
        return nil, "no way"
      end)
      print(path, why, #cache.entries())]]:gsub("\t", " "))
    assert.equal("", program.shell(("ls -A %s/lunet/kernels"):format(place.path)).output)
    assert.equal("a-1 6\n", printed [[
      assert(cache.add("c", function(aside)
        local file <close> = assert(io.open(aside .. "/whole", "w"))
        file:write "12345"
        return "a-1"
      end))
      print(cache.entries()[1].name, cache.bytes_in(cache.entries()[1].path))]]:gsub("\t", " "))
  end)

  it("makes an entry anew that has less than is wanted of it", function()
    assert.equal("less more true false\n", printed [[
      local function add(contents)
        local path = assert(cache.add(contents, function(aside)
          local file <close> = assert(io.open(aside .. "/whole", "w"))
          file:write(contents)
          return "a-1"
        end))
        local file <close> = assert(io.open(path .. "/whole"))
        return file:read "a", path
      end
      local first, path = add "less"
      print(first, (add "more"), cache.has(path, "more"), cache.has(path, "less"))]]:gsub("\t", " "))
  end)

  it("leaves an entry as it is, and removes it when asked to", function()
    assert.equal("1 true 0 nil\n", printed [[
      for _ = 1, 2 do assert(cache.add("c", function() return "a-1" end)) end
      print(#cache.entries(), cache.remove "a-1", #cache.entries(), (cache.remove "a-1"))]]:gsub("\t", " "))
  end)

  it("removes what a fetch that was killed has left aside, once it is a day old", function()
    place:write("lunet/kernels/.making-1/old", "")
    place:write("lunet/kernels/.making-2/new", "")
    assert(os.execute(("touch -d '2 days ago' %s/lunet/kernels/.making-1"):format(place.path)))
    printed [[assert(cache.add("c", function() return "a-1" end))]]
    assert.equal(".making-2\na-1\n", program.shell(("LC_ALL=C ls -A %s/lunet/kernels"):format(place.path)).output)
  end)

  it("has one lock, for which others wait", function()
    local waits = place.path .. "/waits"
    local script = [[
      local lunet = require "lunet"
      local held <close> = assert(cache.lock(function() end))
      local other <close> = assert(lunet.exec { ARGUMENT, "-e", 'local lock = require "lunet.kernel.cache"'
        .. '.lock(function() io.open("WAITS", "w"):close() end) print "mine"' })
      assert(lunet.eventually(function() local file <close> = io.open "WAITS" return file ~= nil end, 20))
      print(other:wait(0))
      held:close()
      print((other.stdout:receive("a", 20)))]]
    assert.equal("nil\nmine\n\n", (printed((script:gsub("WAITS", waits):gsub("ARGUMENT", ("%q"):format(
      os.getenv "LUNET")))):gsub("\t[^\n]*", "")))
  end)
end)
