local server = require "lunet.peer.server"
local server_limits = dofile "experiments/servers/server_limits.lua"
local field = require "spec.field"
local it = require "spec.support.patient"(it)

local is_here, missing = server.find_all(server.names())
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

local WITHOUT_LIMIT <const> = { "squid", "varnish" }

-- Whether what was seen by hand is of this version: "15" is of "15.18".
local function is_same(version, by_hand) return (version .. "."):sub(1, #by_hand + 1) == by_hand .. "." end

local function is_one_of(value, wanted)
  for _, one in ipairs(type(wanted) == "table" and wanted or {}) do
    if value == one then return true end
  end
  return value == wanted
end

-- How a row of now differs from one by hand: a line for each field.
local function differences(row, by_hand)
  local lines = {}
  for _, name in ipairs { "accepted", "sees", "carried_out", "log", "backlog" } do
    if not is_one_of(row[name], by_hand[name]) then
      lines[#lines + 1] = ("%s %s: %s is %s, by hand %s"):format(row.server, row.version, name, tostring(row[name]),
        type(by_hand[name]) == "table" and table.concat(by_hand[name], " or ") or tostring(by_hand[name]))
    end
  end
  return lines
end

-- Fails for a version that was seen by hand, and shows what differs in another one.
local function compare(rows)
  for _, by_hand in ipairs(field) do
    local lines = differences(assert(rows[by_hand.server], by_hand.server), by_hand)
    if is_same(rows[by_hand.server].version, by_hand.version) then
      assert.same({}, lines)
    elseif #lines > 0 then
      print(table.concat(lines, "\n"))
    end
  end
end

local function rows_of(outcome)
  local rows = {}
  for i, row in ipairs(outcome.rows) do
    local other = outcome.servers[i]
    row.version, row.log = other.program:match "^.* (%S+)$", other.log
    rows[row.server] = row
  end
  return rows
end

describe("server_limits, with all servers, #slow", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("holds as it is, and says what was seen by hand", function()
    if reason then return pending(reason) end
    local outcome, holds, why = server_limits()
    assert.is_true(holds, why)
    assert.equal(#server.names() - #WITHOUT_LIMIT, #outcome.rows)
    compare(rows_of(outcome))
  end)

  it("compares rows of the same version alone", function()
    assert.is_true(is_same("15.18", "15"))
    assert.is_true(is_same("7.0.15", "7.0.15"))
    assert.is_false(is_same("7.0.15", "7.0.1"))
    local by_hand = { accepted = true, sees = "closed", carried_out = false, log = "nothing", backlog = "5" }
    local row = { server = "one", version = "2", accepted = true, sees = "closed", carried_out = true, log = "nothing",
      backlog = "5" }
    assert.same({ "one 2: carried_out is true, by hand false" }, differences(row, by_hand))
  end)
end)
