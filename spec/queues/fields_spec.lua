local fields = require "lunet.queues.fields"
local json = require "lunet.text.json"

local function sorted(list)
  table.sort(list)
  return list
end

local function required_of(find)
  local file <close> = assert(io.open(os.getenv "LUNET_SOURCE" .. "/doc/queues.schema.json"))
  return sorted(find(json.decode(file:read "a")).required)
end

describe("the fields of lunet queues", function()
  it("are those of the schema", function()
    assert.same(required_of(function(whole) return whole["$defs"].listener end), sorted(fields.names(fields.OF_QUEUE)))
    assert.same(required_of(function(whole) return whole.properties.clients.items end),
      sorted(fields.names(fields.OF_CLIENT)))
  end)

  it("are explained, each with the place where the kernel keeps it, in lines that fit", function()
    local words = fields.explain()
    for _, list in ipairs { fields.OF_QUEUE, fields.OF_CLIENT } do
      for _, field in ipairs(list) do assert.matches(("\n  %s\n      %%S[^\n]+"):format(field.name), words) end
    end
    local _, sources = words:gsub("\n      From: %S", "")
    assert.equal(#fields.OF_QUEUE + #fields.OF_CLIENT, sources)
    for line in words:gmatch "[^\n]+" do assert.is_true(#line <= 80, line) end
  end)
end)
