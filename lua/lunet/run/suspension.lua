--- Suspended runs. A scheduler, or kill(1), may stop a run and continue it later. The clocks go on meanwhile, and the
--- SIGCONT may also continue the servers that the script had frozen. Such a run tells nothing about its claim.
---
--- SIGCONT tells more than a jump of the clock would. Slurm first sends SIGTSTP, which does not stop most of lunet's
--- processes, and SIGSTOP later. A job that is resumed in between was never stopped, yet its servers were thawed. The
--- freezer of a cgroup sends no signal: this file does not see it.
local core = require "lunet.core"

local suspension = {}

local WORDS <const> = "it was suspended and resumed (SIGCONT) while it ran"

--- Watches for suspensions of this process from now on.
---@return fun(): string? found says that there was one; nil without one. A stock interpreter always gets nil.
function suspension.watch()
  local before = core.times_continued()
  return function() return core.times_continued() ~= before and WORDS or nil end
end

return suspension
