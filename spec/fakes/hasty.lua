--- A client whose timer runs from its start, for client_patience: with the option "late" it connects when the timer has
--- ended, and with the option "early" before. It makes one connection, where its description says two.
local TIMERS <const> = { early = 0.5, late = 4 } -- s; a process must end within half of it on a busy machine

local SCRIPT = [[
local lunet = require "lunet"
local option, timers = "OPTION", { early = %g, late = %g }
if option == "late" then lunet.sleep(timers.late) end
local connection = assert(lunet.connect({ address = "ADDRESS", port = PORT }, 60))
if option == "early" then lunet.sleep(timers.early) end
print "timed out"
]]

local function with(option)
  return { option = option, answer = TIMERS[option], connections = 2, status = 0, words = "timed out" }
end

return {
  packages = { "lunet" },
  program = os.getenv "LUNET",
  version = { "-e", "print(_VERSION)" },
  files = { ["client.lua"] = SCRIPT:format(TIMERS.early, TIMERS.late) },
  arguments = { "client.lua", "OPTION" },
  waits = { default = {}, connect = with "early", answer = with "late" },
}
