-- A helper of busted's (--helper), for specs under another kernel. It leaves out a spec that meets a part which the
-- kernel was built without, or that is pending there. It says at the end how many, and why: busted counts them as
-- successes. Any other failure stays one.
local busted = require "busted"
local core = require "lunet.core"

-- Parts of lunet's messages about what a kernel lacks. Debian builds user-mode Linux with nftables for bridges alone,
-- and without the others.
local LACKING <const> = { "CONFIG_NF_TABLES_INET", "CONFIG_INET_DIAG_DESTROY", "CONFIG_MPTCP", "no NAT for nftables",
  "no SYNPROXY for nftables", "[%w%.]+ came with Linux [%d%.]+" }

-- net/ipv4/tcp_input.c, tcp_may_update_window: to 6.1 such an ACK says nothing new, to 6.12 it does.
local SHUT <const> = "an ACK that only shuts the window does not shut it"

-- A socket takes more of segments that the kernel has merged, and it merges more when the receiver runs late.
local UNEVEN <const> = "a guest has one processor, and takes now more, now less when the machine is busy"

-- Specs whose figures are those of a newer kernel or of more memory, by their names.
local ELSEWHERE <const> = {
  ["holds as it is: no setting helps who comes late, and each one tells of those who race"] =
    "overflow's schedule has linear timeouts (Linux 6.5)",
  ["holds for more than the server's buffer takes: the rest waits with the client"] =
    "a send buffer takes 26064 bytes there, not 30000",
  ["control: carries out nothing for clients that wait for the greeting of mariadb #part_mariadb"] =
    "MariaDB wants 8 TiB of addresses",
  ["holds as it is, for every design"] = "reply_on_reconnect leaves out what needs rules",
  ["ends the old connection by a new one from the same port, but not the request in it"] =
    "reply_on_reconnect leaves out what needs rules",
  ["tells which reuse of a port is refused, by bind or by connect"] = "reply_on_reconnect leaves out what needs rules",
  ["sends what was sent before the FIN, when the window opens (RFC 9293, 3.6)"] = SHUT,
  ["ends a connection whose peer's window stays shut, although it answers (RFC 9293, 3.8.6.1)"] = SHUT,
  ["lets as much in with writes of 1000 bytes under reno as no capture does"] = UNEVEN,
  ["lets as much in with writes of 1000 bytes under cubic as no capture does"] = UNEVEN,
  ["lets as much in with writes of 64 bytes under reno as no capture does"] = UNEVEN,
  ["lets as much in with writes of 64 bytes under cubic as no capture does"] = UNEVEN,
  ["takes as much of one that blocks as of one that polls"] = UNEVEN,
  ["lets most wait with the client, whose buffer grows"] = UNEVEN,
  ["can be had of a host made by lunet"] = "a rule in another process",
}

local left_out = {}

local function reason_of(failure)
  local class = type(failure) == "table" and getmetatable(failure)
  local text = tostring(type(failure) == "table" and failure.message or failure)
  if class and class.__type == "pending" then return text end
  for _, part in ipairs(LACKING) do
    local found = text:match(part)
    if found then return found end
  end
end

-- Runs a spec. One that is left out on its way leaves nothing open.
local function guarded(name, body)
  return function(...)
    local ok, failure, reason = true, nil, ELSEWHERE[name]
    if not reason then ok, failure = pcall(body, ...) end
    if not ok then
      reason = reason_of(failure) or error(failure, 0)
      core.close_handles()
    end
    if reason then left_out[reason] = (left_out[reason] or 0) + 1 end
  end
end

-- Puts a guarded body in the place of each that a file declares.
local is_guarded = {}
busted.subscribe({ "register", "it" }, function(name, body, ...)
  if is_guarded[body] then return nil, true end
  local replacement = guarded(name, body)
  is_guarded[replacement] = true
  busted.publish({ "register", "it" }, name, replacement, ...)
  return nil, false
end, { priority = 1 })

busted.subscribe({ "exit" }, function()
  for reason, count in pairs(left_out) do print(("left out (%d): %s"):format(count, reason)) end
  return nil, true
end)
