--- The timeline: the recorded events in order, each as what it means to the one whom it befell.
local timeline = {}

local function address_pair(near, far) return near .. ">" .. far end

local function bytes_of(e) return e.bytes == 1 and "1 byte" or ("%d bytes"):format(e.bytes) end

-- What an event says, by its kind. `other` is the label at the far end, if it is known.
local sentences = {
  listen = function(e) return ("listens, backlog %d"):format(e.bytes) end,
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
  shutdown = function() return "ends its side (FIN)" end,
  close = function(e, other, cast)
    if cast.is_listener(e) then return "closes the listener" end
    if cast.is_unconnected(e) then return "closes its socket" end
    return "closes its connection" .. (other and " with " .. other or "")
  end,
  reset = function(_, other) return "resets its connection" .. (other and " with " .. other or "") end,
  exec = function(e) return ("starts, as process %d"):format(e.bytes) end,
  signal = function(e) return "is sent " .. e.signal end,
  exit = function(e)
    return type(e.status) == "string" and "is killed by " .. e.status or ("ends with status %d"):format(e.status)
  end,
}

-- What happens to a program's standard stream, whose near end the script holds.
local stream_sentences = {
  send = function(e)
    local text = ("is given %d bytes on its %s"):format(e.bytes, e.stream)
    return e.code and ("%s, and no more (%s)"):format(text, e.code) or text
  end,
  receive = function(e)
    if e.code == "EOF" then return ("has its %s read to the end"):format(e.stream) end
    if e.code then return ("has its %s read in vain (%s)"):format(e.stream, e.code) end
    return ("has %d bytes of its %s read"):format(e.bytes, e.stream)
  end,
  shutdown = function(e) return ("gets the end of its %s"):format(e.stream) end,
  close = function(e) return ("has its %s closed"):format(e.stream) end,
}

local failures = {
  ["connect TIMEOUT"] = "gives up connecting: no answer (TIMEOUT)",
  ["receive TIMEOUT"] = "gives up waiting for bytes (TIMEOUT)",
  ["receive EOF"] = "reads the end of what %s sent (EOF)",
  ["send EPIPE"] = "cannot send: %s is gone (EPIPE)",
  ["send TIMEOUT"] = "finds no room to send (TIMEOUT)",
  ["accept TIMEOUT"] = "gives up waiting for a connection (TIMEOUT)",
  ["accept CLOSED"] = "stops accepting (CLOSED)",
}

local function failure_of(e, other)
  local known = failures[e.kind .. " " .. e.code]
  local text = known and known:format(other or "the peer") or ("cannot %s (%s)"):format(e.kind, e.code)
  return e.bytes > 0 and text .. ", after " .. bytes_of(e) or text
end

--- Follows who is who: sockets have numbers, and the two ends of a connection share their ports.
local function new_cast(events)
  local names, ends = {}, {} -- by socket; by local port of a listener, by pair of ports of a connection
  local listeners, unconnected = {}, {}
  local cast = {}

  local function pair_of(e) return e.local_port and e.peer_port and address_pair(e.local_port, e.peer_port) end

  function cast.is_listener(e) return listeners[e.socket] or e.local_port and not e.peer_port end
  function cast.is_unconnected(e) return unconnected[e.socket] end

  local function name_of(e)
    if cast.is_listener(e) then return "server" end
    return ends[e.local_port or ""] or e.kind == "accept" and "server" or "client"
  end

  function cast.meet(e)
    if e.kind == "listen" then listeners[e.socket] = true end
    if e.kind == "connect" then unconnected[e.socket] = e.code ~= nil end
    names[e.socket] = names[e.socket] or e.label or name_of(e)
    local pair = pair_of(e)
    if pair then ends[pair] = names[e.socket] elseif e.local_port then ends[e.local_port] = names[e.socket] end
    return names[e.socket]
  end

  function cast.other(e)
    if not e.peer_port then return nil end
    return ends[address_pair(e.peer_port, e.local_port or 0)] or ends[e.peer_port]
  end

  -- An event may come before the one that introduces its far end, or that one may be lost. Of those
  -- who use the same ports one after the other, the first is met last.
  for i = #events, 1, -1 do
    local e = events[i]
    if e.label or e.kind == "listen" or e.kind == "connect" then cast.meet(e) end
  end
  return cast
end

local function line_of(e, cast)
  if e.kind == "note" then return { note = e.text } end
  local who = cast.meet(e)
  if e.stream then return { who = who, what = stream_sentences[e.kind](e) } end
  local other = cast.other(e)
  return { who = who, what = e.code and failure_of(e, other) or sentences[e.kind](e, other, cast) }
end

--- Makes lines of events: {at = seconds since the first, who, what} or {at, note}, and queue
--- ("depth/limit") where the event found it changed.
---@param events table[] from core.events
---@return {at: number, who: string?, what: string?, note: string?, queue: string?}[]
function timeline.lines(events)
  local lines, cast = {}, new_cast(events)
  for _, e in ipairs(events) do
    if e.kind == "queue" then
      if #lines > 0 then lines[#lines].queue = ("%d/%d"):format(e.depth, e.limit) end
    else
      local line = line_of(e, cast)
      line.at = e.at - events[1].at
      lines[#lines + 1] = line
    end
  end
  return lines
end

return timeline
