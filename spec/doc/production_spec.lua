local prometheus = require "lunet.queues.prometheus"
local program = require "spec.support.program"

local DOC <const> = os.getenv "LUNET_SOURCE" .. "/doc/"

local function read(name)
  local file <close> = assert(io.open(DOC .. name))
  return file:read "a"
end

local function set_of(text, pattern)
  local set = {}
  for word in text:gmatch(pattern) do set[word] = true end
  return set
end

describe("doc/production.md", function()
  it("is what its template makes of a run", function()
    local page = read "production.md"
    assert.is_nil(page:find "{{")
    for line in read("production/page.md"):gmatch "[^\n]+" do
      if not line:find "{{" then assert.matches(line .. "\n", page, 1, true) end
    end
  end)

  it("names every alert of the rules, and no other", function()
    assert.same(set_of(read "production/queues.rules.yml", "%- alert: (%w+)"),
      set_of(read("production.md"):match "## What to alert on(.-)\n## ", "\n| (%u%w+) |"))
  end)

  it("has rules over metrics that there are", function()
    local names, used = prometheus.names(), set_of(read "production/queues.rules.yml", "%f[%w_](lunet_[%l_]+)%f[^%l_]")
    used.lunet_queues = nil -- the name of the group
    for name in pairs(used) do assert.is_true(names[name], name) end
    assert.is_true(used.lunet_queue_left_by_fin)
  end)

  it("names options that there are", function()
    local help = program.shell(program.quote(os.getenv "LUNET") .. " queues --help").output
    for option in read("production.md"):gmatch "%f[-](%-%-%l[%l-]+)" do
      if option ~= "--net" and option ~= "--target" then assert.matches(option:gsub("%-", "%%-") .. " ", help) end
    end
  end)
end)
