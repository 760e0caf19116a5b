--- The timeline: the recorded events in order, each told from the point of view of its host.
local cast = require "lunet.recording.cast"
local segments = require "lunet.recording.segments"
local text = require "lunet.text.width"

local timeline = {}

local function bytes_of(e) return e.bytes == 1 and "1 byte" or ("%d bytes"):format(e.bytes) end

local SHUTDOWNS <const> = { rd = "receives no more", wr = "ends its side (FIN)",
  rdwr = "ends its side (FIN), and receives no more" }

-- The sentence of an event, by its kind. `other` is the name at the far end, if it is known.
local sentences = {
  listen = function(e) return ("listens, backlog %d"):format(e.bytes) end,
  found = function(e) return "is found listening at " .. e.local_address end,
  gone = function(e) return ("listens at %s no more"):format(e.local_address) end,
  gate = function(e)
    if e.bytes < 0 then return "opens the gate" end
    if e.bytes == 0 then return "shuts the gate" end
    return ("opens the gate for %d at a time"):format(e.bytes)
  end,
  resize = function(e) return ("changes the backlog to %d"):format(e.bytes) end,
  connect = function(_, other) return other and "connects to " .. other .. ": success" or "connects: success" end,
  accept = function(_, other) return "accepts " .. (other and other .. "'s connection" or "a connection") end,
  send = function(e, other) return "sends " .. bytes_of(e) .. (other and " to " .. other or "") end,
  receive = function(e, other) return "receives " .. bytes_of(e) .. (other and " from " .. other or "") end,
  shutdown = function(e, _, who)
    if who:is_listener(e) then return e.how == "wr" and "shuts its sending side: no change" or "listens no more" end
    return SHUTDOWNS[e.how] or SHUTDOWNS.wr
  end,
  set = function(e) return "sets " .. text.shown(e.text) end,
  dissolve = function(_, other)
    return "dissolves its connection" .. (other and " with " .. other or "") .. " (connect to AF_UNSPEC)"
  end,
  close = function(e, other, who)
    if who:is_listener(e) then return "closes the listener" end
    if who:is_unconnected(e) then return "closes its socket" end
    return "closes its connection" .. (other and " with " .. other or "")
  end,
  reset = function(_, other) return "resets its connection" .. (other and " with " .. other or "") end,
  drop = function(e) return "loses segments from now on: " .. (e.text or ""):gsub("^on .-: ", "") end,
  drop_end = function(e)
    return ("loses no more; it lost %d segment%s"):format(e.segments, e.segments == 1 and "" or "s")
  end,
  exec = function(e) return ("starts, as process %d"):format(e.bytes) end,
  signal = function(e)
    return ("is sent %s%s"):format(e.signal, e.only and (", process %d alone"):format(e.only) or "")
  end,
  exit = function(e)
    return type(e.status) == "string" and "is killed by " .. e.status or ("ends with status %d"):format(e.status)
  end,
}

-- The sentences about a program's standard stream; the script holds its near end.
local stream_sentences = {
  send = function(e)
    local words = ("is given %s on its %s"):format(bytes_of(e), e.stream)
    return e.code and ("%s, and no more (%s)"):format(words, e.code) or words
  end,
  receive = function(e)
    if e.code == "EOF" then return ("has its %s read to the end"):format(e.stream) end
    if e.code then return ("has nothing of its %s read (%s)"):format(e.stream, e.code) end
    return ("has %s of its %s read"):format(bytes_of(e), e.stream)
  end,
  shutdown = function(e) return ("gets the end of its %s"):format(e.stream) end,
  close = function(e) return ("has its %s closed"):format(e.stream) end,
  output_lost = function(e)
    return ("writes more to its %s than anybody reads: lunet keeps the last %d bytes"):format(e.stream, e.bytes)
  end,
  output_full = function(e) return ("waits, since its %s is full: nobody reads it"):format(e.stream) end,
}

local failures = {
  ["connect TIMEOUT"] = "gives up connecting to %s: no answer (TIMEOUT)",
  ["receive TIMEOUT"] = "gives up waiting for bytes (TIMEOUT)",
  ["receive EOF"] = "reads the end of what %s sent (EOF)",
  ["send EPIPE"] = "cannot send: %s is gone (EPIPE)",
  ["send TIMEOUT"] = "finds no room to send (TIMEOUT)",
  ["accept TIMEOUT"] = "gives up waiting for a connection (TIMEOUT)",
  ["accept CLOSED"] = "stops accepting (CLOSED)",
}

local function failure_of(e, other, who)
  local known = failures[e.kind .. " " .. e.code]
  if e.kind == "connect" then
    local target = who:target(e)
    known, other = known or "cannot connect to %s (" .. e.code .. ")", target or "the peer"
  end
  local tried = e.kind == "set" and "set " .. text.shown(e.text) or e.kind
  if other == cast.ITSELF and e.kind ~= "connect" then other = "it" end -- "reads the end of what it sent"
  local words = known and known:format(other or "the peer") or ("cannot %s (%s)"):format(tried, e.code)
  return e.bytes > 0 and words .. ", after " .. bytes_of(e) or words
end

-- -- the kernel's side -------------------------------------------------------------------------

-- Counters of unusual events; the others move all the time.
local TELLING = { "Overflow", "Drop", "Timeout", "Retrans", "Abort", "Reset", "Rsts", "Fails", "Full", "Syncookies",
  "FastOpen", "KeepAlive", "ZeroWindow", "Challenge", "Listen", "Deferred" }

local function is_telling(name)
  for _, part in ipairs(TELLING) do
    if name:find(part, 1, true) then return true end
  end
  return false
end

local function counters_text(e)
  local parts = {}
  for name, moved in pairs(e.moved) do
    if is_telling(name) then parts[#parts + 1] = ("%s %+d"):format(name, moved) end
  end
  table.sort(parts)
  return #parts > 0 and table.concat(parts, ", ") or nil
end

-- A connection without an owner waits in the queue; the kernel counts its FIN as an unread byte.
local function is_held(socket)
  return not socket.owned and (socket.state == "ESTABLISHED" or socket.state == "CLOSE_WAIT")
end

local function unread_of(socket) return socket.receive_queue - (socket.state == "CLOSE_WAIT" and 1 or 0) end

local function held_text(socket, who, host)
  local whose = who:at(socket.peer_address, socket.local_address, host)
  return ("holds %s unaccepted: %s, %d bytes unread"):format(whose and whose .. "'s connection" or "a connection",
    socket.state, unread_of(socket))
end

local function sockets_text(e, who)
  local held, unread, left = {}, 0, 0
  for _, socket in ipairs(e.changed) do
    if is_held(socket) then
      held[#held + 1] = socket
      unread = unread + unread_of(socket)
      if socket.state == "CLOSE_WAIT" then left = left + 1 end
    end
  end
  if #held <= 1 then return held[1] and held_text(held[1], who, e.host) end
  return ("holds %d connections unaccepted, %d of them left by FIN; %d bytes unread"):format(#held, left, unread)
end

-- -- the segments ----------------------------------------------------------------------------------

local function segment_text(e)
  local words = {}
  for flag in e.flags:gmatch "[^,]+" do
    if flag ~= "PSH" and not (flag == "ACK" and e.flags ~= "ACK" and not e.flags:find "SYN") then
      words[#words + 1] = flag
    end
  end
  local said = table.concat(words, "-")
  if e.bytes > 0 then said = (said == "" and "" or said .. " ") .. bytes_of(e) end
  return e.again and said .. " again" or said
end

-- Leaves out acknowledgements that carry no data, except the one that completes a handshake.
local function is_worth_telling(e)
  return e.flags ~= "ACK" or e.bytes > 0 or e.lost or e.again or e.sequence == 1 and e.acknowledgement == 1
end

-- -- the lines ---------------------------------------------------------------------------------

local function line_of_call(e, who)
  local name = who:meet(e)
  if e.stream then return { who = name, what = stream_sentences[e.kind](e) } end
  local other = who:other(e)
  return { who = name, what = e.code and failure_of(e, other, who) or sentences[e.kind](e, other, who) }
end

local function kernel_line(e, words)
  return words and { who = e.label and text.shown(e.label), what = words, is_kernel = true }
end

-- A loss of a wire, where no tap saw a segment.
local function line_of_loss(e, who)
  local near, far = e.local_address, e.peer_address
  local words = e.flags and segment_text(e) or near and bytes_of(e) or "a frame"
  return { segment = words, lost = e.cause, who = near and who:at(near, far, e.host) or who:host(e.host) or near,
    whom = near and who:beyond(near, far) or far or "the other end", to_host = near and who:owner(far) }
end

local function line_of(e, who)
  if e.kind == "loss" then return line_of_loss(e, who) end
  if e.kind == "note" then return { note = e.text } end
  if e.kind == "unseen" then return kernel_line(e, ("cannot be asked for its %s (%s)"):format(e.what, e.code)) end
  if e.kind == "counters" then return kernel_line(e, counters_text(e)) end
  if e.kind == "sockets" then return kernel_line(e, sockets_text(e, who)) end
  if e.kind ~= "segment" then return line_of_call(e, who) end
  if not is_worth_telling(e) then return nil end
  return { segment = segment_text(e), lost = e.lost, arrived = e.arrived, to_host = e.to_host,
    who = who:at(e.from, e.to, e.host) or e.from, whom = who:beyond(e.from, e.to, e.to_host) or e.to }
end

-- The queue stands beside the line of the event that found it changed. The queue of a program's listener changes
-- without an event of lunet's: its first state stands beside the line of the listener, and every later one has its own
-- line.
local function queue_line(e, seen)
  local words, found = ("%d/%d"):format(e.depth, e.limit), seen.found[e.socket]
  local beside = found and not found.queue and found or not found and seen.last
  if beside then beside.queue = words end
  if not found or beside then return nil end
  local who = e.depth == 1 and "1 waits" or e.depth .. " wait"
  local dropped = e.drops and (", %d dropped so far"):format(e.drops) or ""
  return { who = found.who, what = ("%s to be accepted at %s%s"):format(who, e.local_address, dropped),
    is_kernel = true, queue = words }
end

local function remember(seen, e, line)
  if e.kind == "found" then seen.found[e.socket] = line
  elseif e.kind ~= "gone" and not line.is_kernel and not line.segment then seen.last = line end
end

---@class lunet.timeline_line
---@field at number seconds since the first event
---@field host? integer of the event
---@field who? string a name
---@field what? string
---@field note? string the script's own words, in place of `what`
---@field is_kernel? boolean whether the host's kernel says it
---@field segment? string a segment, in place of `what`: "SYN-ACK", "FIN", "8 bytes"
---@field to_host? integer the host of a segment's receiver
---@field whom? string its name
---@field lost? string the segment was lost: on a link, by a rule, by a wire (segments.LOST)
---@field queue? string "depth/limit" where the event found it changed

--- The line of each event, by its number in the list. Some events have no line. Scripts call run:lines().
---@param events table[] from lunet.recording
---@param who lunet.cast of the events
---@param zero number a reader's zero time
---@return table<integer, lunet.timeline_line>
function timeline.by_event(events, who, zero)
  local lines, seen = {}, { found = {} }
  who = who:again()
  for i, e in ipairs(events) do
    local line = e.kind == "queue" and queue_line(e, seen) or e.kind ~= "queue" and line_of(e, who) or nil
    if line then
      line.at, line.host = e.at - zero, e.host
      lines[i] = line
      remember(seen, e, line)
    end
  end
  return lines
end

--- A line as one sentence, without its time and its name.
---@param line lunet.timeline_line
---@return string
function timeline.words(line)
  if line.note then return line.note end
  if line.segment then
    return ("-> %s: %s%s"):format(line.whom, line.segment, line.lost and ", " .. segments.LOST[line.lost] or "")
  end
  return line.is_kernel and "kernel: " .. line.what or line.what
end

--- A line as one sentence with its name.
---@param line lunet.timeline_line
---@return string
function timeline.sentence(line)
  return (line.who and not line.is_kernel and line.who .. " " or "") .. timeline.words(line)
end

return timeline
