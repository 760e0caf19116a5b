-- The specs that ctest leaves out of every run: script/test --slow runs them. The parts in which it runs the others.
local json = require "lunet.text.json"
local lfs = require "lfs"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local tree = require "spec.support.tree"

local BUILD <const>, ROOT <const> = os.getenv "LUNET_BUILD", os.getenv "LUNET_SOURCE"

-- In parts, since this spec is not one of them.
local STARTS <const> = ('require "spec.%s.scenario"'):format "support"
local BOOTS <const> = ('require "spec.%s.guest"'):format "support"
local NAMED <const> = { ["spec/rock_spec.lua"] = true, ["spec/cmake/install_spec.lua"] = true }

-- Lists tests as ctest does, in a directory of its own: ctest overwrites the log of the run in the build's directory,
-- even when it only lists.
local function ctest(options)
  local place <close> = scratch.open()
  return program.shell(("cp '%s/CTestTestfile.cmake' '%s' && ctest --test-dir '%s' %s"):format(BUILD, place.path,
    place.path, options)).output
end

describe("the label slow", function()
  it("is on specs that start a Slurm, SSH servers, another kernel, a compiler, or all programs of a kind", function()
    local labelled, wanted = {}, {}
    for name in ctest("-N -L slow"):gmatch "Test +#%d+: (spec/[^\n]+)" do
      labelled[#labelled + 1] = name .. "_spec.lua"
    end
    for _, path in ipairs(tree.files("spec", "_spec%.lua$")) do
      local file <close> = assert(io.open(ROOT .. "/" .. path))
      local text, is_named = file:read "a", path:find "_all_spec%.lua$" or NAMED[path]
      if is_named or text:find(STARTS, 1, true) or text:find(BOOTS, 1, true) then wanted[#wanted + 1] = path end
    end
    table.sort(labelled)
    assert.same(wanted, labelled)
    assert.is_true(#wanted >= 7 and lfs.attributes(ROOT .. "/" .. wanted[1]) ~= nil)
  end)
end)

-- A spec of an experiment is several tests of ctest's, by the tags of its tests.
describe("the parts of a spec", function()
  local function lines_of(command)
    local result, lines = program.shell(command), {}
    assert.equal(0, result.status, result.errors)
    for line in result.output:gmatch "[^\n]+" do lines[#lines + 1] = line end
    return lines
  end

  -- The commands of the tests that run a spec.
  local function commands_of(path)
    local found = {}
    for _, test in ipairs(json.decode(ctest "--show-only=json-v1").tests) do
      local command = test.command or {}
      if command[#command] == path then found[test.name] = table.concat(command, " ") end
    end
    return found
  end

  for path, parts in pairs {
    ["spec/experiments/queue/overflow_spec.lua"] = { "knobs", "linear", "long", "slow" }, -- tags within a tag
    ["spec/experiments/overload/remedies_spec.lua"] = { "control", "ghosts", "overload", "restored" },
    ["spec/option_spec.lua"] = {}, -- no experiment's
  } do
    it("run each test of " .. path .. " once", function()
      local names, ran = {}, {}
      for name, command in pairs(commands_of(path)) do
        names[#names + 1] = name:match(path:match "(.*)_spec" .. "/(.+)")
        for _, line in ipairs(lines_of(command .. " --list")) do ran[#ran + 1] = line end
      end
      table.sort(names)
      assert.same(parts, names)
      local all = lines_of(("'%s' %s --ignore-lua --list %s"):format(os.getenv "LUNET",
        lines_of("command -v busted")[1], path))
      table.sort(all)
      table.sort(ran)
      assert.same(all, ran)
    end)
  end

  it("have tags of which none begins with another, since busted takes a tag's beginning for it", function()
    for _, path in ipairs(tree.files("spec/experiments", "_spec%.lua$")) do
      local file <close>, tags = assert(io.open(ROOT .. "/" .. path)), {}
      for tag in file:read("a"):gmatch "#part_(%l+)" do tags[tag] = true end
      for tag in pairs(tags) do
        for i = 1, #tag - 1 do assert.is_nil(tags[tag:sub(1, i)], path .. ": " .. tag) end
      end
    end
  end)
end)
