local features = require "lunet.network.features"
local lunet = require "lunet"
local migrate_queue = dofile "experiments/operations/migrate_queue.lua"
local rows = require "spec.support.rows"
local it, judge = require "spec.support.patient"(it)

local HAS_MIGRATION <const> = features.has_sysctl "net.ipv4.tcp_migrate_req"

local function fields_of(outcome)
  return rows.fields(outcome.rows, "setting", "taken", "carried_out", "answered", "reset")
end

describe("migrate_queue", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: the queue moves where the setting says so, the ghost with it, and is reset elsewhere", function()
    local outcome, holds, why = judge(migrate_queue)
    if not HAS_MIGRATION then
      return assert.is_true((pcall(migrate_queue.expects[1].check, outcome, migrate_queue:settings {})))
    end
    assert.is_true(holds, why)
    assert.same({ { "default", 0, 0, 0, 3 }, { "migrate", 4, 4, 3, 0 } }, fields_of(outcome))
    assert.equal("default: 0 answered, 3 reset; migrate: 3 answered, 0 reset", migrate_queue.figures(outcome))
  end)

  it("moves long queues, too", function()
    local outcome = migrate_queue { clients = 200 }
    assert.same(HAS_MIGRATION and 201 or 0, outcome.rows[2].taken)
    assert.same(HAS_MIGRATION and 200 or 0, outcome.rows[2].answered)
  end)

  it("control: without another listener the setting changes nothing", function()
    local outcome, holds, why = judge(migrate_queue, migrate_queue.control)
    assert.is_false(holds)
    assert.matches("^migrate: %l+ is %d, not %d$", why)
    assert.same({ { "default", 0, 0, 0, 3 }, { "migrate", 0, 0, 0, 3 } }, fields_of(outcome))
  end)

  it("knows what a kernel before 5.14 does instead", function()
    local outcome = { rows = {} }
    for i, setting in ipairs { "default", "migrate" } do
      outcome.rows[i] = { setting = setting, taken = 0, carried_out = 0, answered = 0, reset = 3,
        moved = HAS_MIGRATION and 0 or nil }
    end
    local values = migrate_queue:settings {}
    assert.is_false((pcall(migrate_queue.check, outcome, values)))
    assert.is_true((pcall(migrate_queue.expects[1].check, outcome, values)))
  end)

  it("refuses what makes no sense", function()
    assert.error_matches(function() migrate_queue { clients = 0 } end, "knob clients: 0 is not allowed")
  end)
end)
