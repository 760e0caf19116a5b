--- When the kernel sends the SYN of a connect that nobody answers again, and when it gives up (net/ipv4/tcp_timer.c,
--- tcp_retransmit_timer and tcp_write_timeout). The kernel's timers are up to an eighth late, and never early.
local syn_schedule = {}

local FIRST <const> = 1000 -- ms; the first timeout (RFC 6298, 2)

---@class lunet.syn_timer
---@field retries integer tcp_syn_retries
---@field syncnt? integer the option in its place
---@field linear? integer tcp_syn_linear_timeouts, which Linux 6.5 brought; default 0
---@field user_timeout? number seconds

--- The schedule of a connect.
---
---     local due, gives_up = syn_schedule.of { retries = 2, linear = 4 }
---     print(#due, due[6], gives_up) --> 6  5.0  7.0
---@param timer lunet.syn_timer
---@return number[] due seconds after the first SYN, which is the first of them
---@return number gives_up seconds after the first SYN
function syn_schedule.of(timer)
  local linear, retries = timer.linear or 0, timer.syncnt or timer.retries
  local longest = timer.user_timeout and math.floor(1000 * timer.user_timeout)
  local limit = longest or FIRST * ((2 << retries) - 1)
  local due, now, pause, timeout = { 0.0 }, 0, FIRST, FIRST
  while true do
    now = now + pause
    if #due > retries + linear or (#due > 1 and now >= limit) then return due, now / 1000 end
    due[#due + 1] = now / 1000
    if #due > linear + 1 then timeout = 2 * timeout end
    pause = longest and math.min(timeout, math.max(0, limit - now)) or timeout
  end
end

return syn_schedule
