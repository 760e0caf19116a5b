local losses = require "lunet.recording.losses"

local function rule(socket, from, to)
  return { kind = "drop", at = from, socket = socket, host = 1 }, { kind = "drop_end", at = to, socket = socket }
end

local function segment(arrived, fields)
  local s = { kind = "segment", from = "10.0.0.2:9", to = "10.0.0.1:80", to_host = 1, flags = "SYN", bytes = 0,
    arrived = arrived }
  for field, value in pairs(fields or {}) do s[field] = value end
  return s
end

describe("the loss by a rule", function()
  it("is of what the rule means, on its host, while it was open", function()
    local is_lost = losses.by_rule({ rule(5, 1, 2) }, { { port = 80 } })
    assert.is_true(is_lost(segment(1.5)))
    assert.is_false(is_lost(segment(0.5)))
    assert.is_false(is_lost(segment(2.5)))
    assert.is_false(is_lost(segment(1.5, { to_host = 2 })))
    assert.is_false(is_lost(segment(1.5, { to = "10.0.0.1:81" })))
  end)

  it("ends after the first so many", function()
    local is_lost = losses.by_rule({ rule(5, 1, 2) }, { { first = 2 } })
    assert.same({ true, true, false }, { is_lost(segment(1.1)), is_lost(segment(1.2)), is_lost(segment(1.3)) })
  end)

  it("is judged by the newest rule first; the others do not count what that one saw", function()
    local old, old_end = rule(5, 1, 9)
    local new, new_end = rule(6, 2, 3)
    local is_lost = losses.by_rule({ old, new, new_end, old_end }, { { first = 1 }, {} })
    assert.same({ true, true, false }, { is_lost(segment(2.5)), is_lost(segment(4)), is_lost(segment(5)) })
  end)
end)
