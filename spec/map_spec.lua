-- The names of sources lead to their specs, and those of specs to a source. No file or function is longer than a reader
-- can hold in mind.
local lfs = require "lfs"
local map = require "spec.map"
local program = require "spec.support.program"
local tree = require "spec.support.tree"

local ROOT = os.getenv "LUNET_SOURCE"

local FILE_LINES <const>, FUNCTION_LINES <const> = 400, 40

local function exists(path) return lfs.attributes(ROOT .. "/" .. path, "mode") == "file" end

local function count_lines(path)
  local count = 0
  for _ in io.lines(ROOT .. "/" .. path) do count = count + 1 end
  return count
end

-- Where the spec of a source is, without what its name may go on with: "spec/listener", "spec/text/width".
local function stems_of(source)
  local of_folder = map.OF_FOLDERS[source:match "^.*/"]
  if of_folder then return { (of_folder:gsub("_spec%.lua$", "")) } end
  local noun = source:match "([^/]+)%.%l+$"
  if source:find "^core/binding/task/" then return { noun == "task" and "spec/task" or "spec/task_" .. noun } end
  if source:find "^core/" then
    return { "spec/" .. noun, "spec/core/" .. noun, "spec/network/" .. noun }
  end
  return { "spec/" .. source:gsub("^lua/lunet/", ""):gsub("%.lua$", "") }
end

-- Where the spec of a tool or a document is, if it has one: "spec/script/check_prose" of script/check-prose.
local function stem_of_tool(path) return "spec/" .. path:gsub("^%.", ""):gsub("%.%l+$", ""):gsub("[-.]", "_") end

local function tools()
  local list = { ".ci/run", "bench/run", "bench/scale.lua", "bench/records/make.lua" }
  for _, folder in ipairs { "script", "cmake", "doc", "completion" } do
    for _, path in ipairs(tree.files(folder, "")) do list[#list + 1] = path end
  end
  return list
end

-- The tests' own files have their specs beside them: spec/api.lua, and the folder spec/fuzz/.
local function is_of_tests(stem) return exists(stem .. ".lua") or lfs.attributes(ROOT .. "/" .. stem) ~= nil end

local function sources()
  local list = tree.files("core", "%.c$")
  for _, folder in ipairs { "lua/lunet", "experiments" } do
    for _, path in ipairs(tree.files(folder, "%.lua$")) do
      if not path:find "^lua/lunet/types/" then list[#list + 1] = path end
    end
  end
  assert(#list > 100)
  return list
end

local function has_spec(source)
  for _, stem in ipairs(stems_of(source)) do
    if exists(stem .. "_spec.lua") or exists(stem .. "_check.c") then return true end
  end
  return false
end

describe("the map of the tests", function()
  it("leads from every source to a spec, or says why there is none of its own", function()
    local lost, needless = {}, {}
    for _, source in ipairs(sources()) do
      local is_listed = map.WITHOUT_SPEC[source] ~= nil
      if not has_spec(source) and not is_listed then lost[#lost + 1] = source end
      if has_spec(source) and is_listed then needless[#needless + 1] = source end
    end
    assert.same({ {}, {} }, { lost, needless })
  end)

  it("names sources and specs that there are", function()
    local missing = {}
    for source, reason in pairs(map.WITHOUT_SPEC) do
      if not exists(source) then missing[#missing + 1] = source end
      local named = 0
      for spec in reason:gmatch "[%w_/]+%.%l+" do
        named = named + 1
        if not exists("spec/" .. spec) then missing[#missing + 1] = ("spec/%s, for %s"):format(spec, source) end
      end
      if named == 0 then missing[#missing + 1] = "a spec for " .. source end
    end
    for spec in pairs(map.OF_THE_WHOLE) do
      if not exists(spec) then missing[#missing + 1] = spec end
    end
    assert.same({}, missing)
  end)

  it("leads from every spec to a source, a tool or a document, or says what it is about", function()
    local stems = {}
    for _, source in ipairs(sources()) do
      for _, stem in ipairs(stems_of(source)) do stems[stem] = true end
    end
    for _, tool in ipairs(tools()) do stems[stem_of_tool(tool)] = true end
    local lost, needless = {}, {}
    for _, spec in ipairs(tree.files("spec", "_spec%.lua$")) do
      local stem, is_listed = spec:match "^(.*)_spec%.lua$", map.OF_THE_WHOLE[spec] ~= nil
      local is_found = is_of_tests(stem)
      while stem and not is_found do
        is_found, stem = stems[stem], stem:match "^(.*)_[^_/]*$"
      end
      if not is_found and not is_listed then lost[#lost + 1] = spec end
      if is_found and is_listed then needless[#needless + 1] = spec end
    end
    assert.same({ {}, {} }, { lost, needless })
  end)
end)

describe("nothing is too long:", function()
  it("no file of core, lua, experiments and spec has over 400 lines", function()
    local long = {}
    for _, folder in ipairs { "core", "lua", "experiments", "spec" } do
      for _, path in ipairs(tree.files(folder, "%.[chl]u?a?$")) do
        local lines = count_lines(path)
        if lines > FILE_LINES then long[#long + 1] = ("%s has %d lines"):format(path, lines) end
      end
    end
    assert.same({}, long)
  end)

  it("no function of an experiment has over 40 lines", function()
    -- luac 5.4 frees twice when it lists several files at once.
    local listing = program.shell(("cd %s && for file in %s; do luac5.4 -l -p $file || exit; done"):format(
      program.quote(ROOT), table.concat(tree.files("experiments", "%.lua$"), " ")))
    assert.equal("", listing.errors)
    local long, count = {}, 0
    for path, first, last in listing.output:gmatch "function <([^:>]+):(%d+),(%d+)>" do
      local lines = last - first + 1
      count = count + 1
      if lines > FUNCTION_LINES then
        long[#long + 1] = ("%s:%d has %d lines"):format(path, first, lines)
      end
    end
    assert(count > 100)
    assert.same({}, long)
  end)
end)
