local archive = require "lunet.kernel.archive"
local needs = require "lunet.run.needs"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

describe("an archive for a guest", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  -- The names of an archive below the place, in the order in which they are unpacked.
  local function names_in(packed)
    local path = assert(packed:write(place.path .. "/archive"))
    local names = {}
    for name in program.shell("cpio --list --quiet <" .. path).output:gmatch "[^\n]+" do
      local before = place.path:sub(2) .. "/"
      if name:sub(1, #before) == before and name ~= before .. "archive.list" then
        names[#names + 1] = name:sub(#before + 1)
      end
    end
    return names
  end

  -- cpio lists the names.
  local function it_lists(description, body)
    it(description, function()
      local is_here, missing = needs.find { cpio = "cpio" }
      if not is_here then return pending("the group kernels is not here (script/packages kernels): " .. missing) end
      body()
    end)
  end

  local function link(target, name) assert(os.execute(("ln -s %s %s/%s"):format(target, place.path, name))) end

  it_lists("has a file with its directories, before it", function()
    place:write("one/two/file", "")
    local packed = archive.new()
    assert.equal(place.path .. "/one/two/file", packed:add(place.path .. "/one/two/file"))
    assert.same({ "one", "one/two", "one/two/file" }, names_in(packed))
    assert.is_nil(packed:add(place.path .. "/none"))
  end)

  it_lists("has links as links, and what they name", function()
    place:write("real/file", "")
    link("real", "relative")
    link(place.path .. "/relative/file", "absolute")
    link("round", "round")
    local packed = archive.new()
    assert.equal(place.path .. "/real/file", packed:add(place.path .. "/absolute"))
    packed:add(place.path .. "/round")
    assert.same({ "absolute", "real", "real/file", "relative", "round" }, names_in(packed))
  end)

  it_lists("has a directory with its directories, or without them", function()
    place:write("tree/file", "")
    place:write("tree/deep/file", "")
    place:write("tree/.hidden/file", "")
    local packed, flat = archive.new(), archive.new()
    packed:add_directory(place.path .. "/tree")
    assert.same({ "tree", "tree/deep", "tree/deep/file", "tree/file" }, names_in(packed))
    flat:add_directory(place.path .. "/tree", true)
    assert.same({ "tree", "tree/file" }, names_in(flat))
  end)

  it("has the libraries of a program", function()
    local packed = archive.new()
    packed:add_programs { os.getenv "LUNET", place:write("script", "#!/bin/sh\n") }
    assert.is_not_nil(table.concat(packed.paths, "\n"):find("/libuv.so.1", 1, true))
  end)

  it("has another signature if a file has changed, and knows how much they are", function()
    place:write("file", "12345")
    local packed = archive.new()
    packed:add(place.path .. "/file")
    local signature = packed:signature()
    assert.equal(5, packed:bytes())
    assert.equal(signature, packed:signature())
    place:write("file", "123456")
    assert.not_equal(signature, packed:signature())
  end)
end)
