local syn_schedule = require "lunet.network.syn_schedule"

describe("the schedule of a SYN", function()
  it("doubles the timeouts, and ends when the last of them is over", function()
    assert.same({ { 0, 1, 3 }, 7 }, { syn_schedule.of { retries = 2 } })
    assert.same({ { 0, 1, 3, 7, 15, 31, 63 }, 127 }, { syn_schedule.of { retries = 6 } })
  end)

  it("takes a second each for the linear ones, and ends at the first timeout from the same end on", function()
    assert.same({ { 0, 1, 2, 3, 4, 5 }, 7 }, { syn_schedule.of { retries = 2, linear = 4 } })
    local due, gives_up = syn_schedule.of { retries = 6, linear = 4 }
    assert.same({ 11, 67, 131 }, { #due, due[#due], gives_up }) -- as the kernel's ip-sysctl.rst has it
  end)

  it("may be counted by the socket's own option", function()
    assert.same({ { 0, 1 }, 3 }, { syn_schedule.of { retries = 6, syncnt = 1 } })
  end)

  it("ends with the user timeout, but not before the first timeout", function()
    assert.same({ { 0, 1 }, 1 }, { syn_schedule.of { retries = 6, user_timeout = 0.3 } })
    assert.same({ { 0, 1 }, 1.5 }, { syn_schedule.of { retries = 6, user_timeout = 1.5 } })
    assert.same({ { 0, 1, 3 }, 7 }, { syn_schedule.of { retries = 2, user_timeout = 60 } })
  end)
end)
