local assert = require "luassert"

--- Asserts the verdict of an experiment that the machine can disturb (load.overload). That it refuses to judge, and
--- says so, is all that can be asked of it if that has happened.
---@param expected string|nil why the claim is not to hold; nil: it is to hold
---@param outcome table what the experiment has returned, and so the others
---@param holds boolean
---@param why? string
return function(expected, outcome, holds, why)
  if outcome.valid and not (why or ""):find "^the machine disturbed" then
    assert.same({ expected == nil, expected }, { holds, why })
  else
    assert.is_nil(holds)
    assert.match("^the machine disturbed ", why)
  end
end
