-- Every file of lua/lunet/peer/clients.
local client = require "lunet.peer.client"
local lab = require "lunet.lab"
local lunet = require "lunet"

local is_here, missing = client.find_all(client.names())
local reason = not is_here and "the groups peers and npm are not here (script/packages peers, npm): " .. missing

local FIELDS <const> = { packages = "table", program = "string", arguments = "table", waits = "table" }
local MORE <const> = { files = "table", before = "table", runs = "string", environment = "table", libraries = "table",
  gave_up = "string", says = "string", listens = "number", request = "string", library = "string", script = "string",
  package = "string", version_of = "string" }
local OF_A_WAIT <const> = { option = "string", connect = "number", answer = "number", connections = "number",
  ghosts = "number", words = "string" }
local STATUSES <const> = { number = true, string = true }

local function check_wait(where, option, wait)
  assert.equal(option ~= "default", wait.option ~= nil, where .. ": only defaults have no option")
  for field, value in pairs(wait) do
    if field == "status" then
      assert.is_true(STATUSES[type(value)], where)
    elseif type(value) == "table" then -- the least and the most
      assert.same({ "number", 2 }, { OF_A_WAIT[field], #value }, where .. "." .. field)
      assert.is_true(0 <= value[1] and value[1] < value[2], where .. "." .. field)
    else
      assert.equal(OF_A_WAIT[field], type(value), where .. "." .. field)
    end
  end
end

local function check_fields(name, description)
  assert.matches("^[tf]", type(description.version), name)
  for field, kind in pairs(FIELDS) do assert.equal(kind, type(description[field]), name .. "." .. field) end
  for field, value in pairs(description) do
    assert.equal(field == "version" and type(value) or FIELDS[field] or MORE[field], type(value), name .. "." .. field)
  end
  assert.is_table(description.waits.default, name)
  for option, wait in pairs(description.waits) do
    assert.is_true(option == "default" or option == "connect" or option == "answer", name .. ": " .. option)
    check_wait(name .. ": " .. option, option, wait)
  end
end

describe("a client's description", function()
  for _, name in ipairs(client.names()) do
    it("has its fields, and no others: " .. name, function() check_fields(name, (client.describe(name))) end)
  end
end)

-- The words of a client that does not connect to a server that never accepts; nil if it does.
local function trouble_of(name)
  local server, host, link = lab.hosts { "server", name }
  local listener = lab.listen(server, { backlog = 10 })
  local version = client.version(name)
  if not version:find "^%d+%.%d+" then return "its version is " .. version end
  local running <close> = client.open(name, host, { address = link:address(server), port = lab.PORT })
  running:start()
  lab.await(function() return lab.depth(listener) > 0 or running:await_end(0) end)
  return lab.depth(listener) == 0 and running:words() or nil
end

describe("every client", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("tells its version, and connects to a server that never accepts", function()
    if reason then return pending(reason) end
    local troubles = {}
    lunet.together(client.names(), function(name) troubles[name] = trouble_of(name) end)
    assert.same({}, troubles)
  end)
end)
