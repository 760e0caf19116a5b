--- Expectations: whether a capture saw exactly these segments, in this order. If not, the message has both lists side
--- by side.
local core = require "lunet.core"
local filter = require "lunet.network.filter"
local option_table = require "lunet.text.options"
local rule_meaning = require "lunet.network.rule_meaning"
local text = require "lunet.text.width"
local value = require "lunet.text.value"
local waiting = require "lunet.network.waiting"

--- A segment that a capture is to see: a kind, or a table whose fields must all be true of it.
---@class lunet.expected_segment
---@field flags? lunet.segment|lunet.segment[] one of these, or any of a list; default "any"
---@field direction? "in"|"out" as the host sees it
---@field from? string the source: "10.0.0.1", "10.0.0.0/24", "fd00::1", "fd00::/64"
---@field to? string the destination likewise
---@field port? integer either port
---@field from_port? integer
---@field to_port? integer
---@field bytes? integer of data
---@field data? string its packet's first 160 bytes contain these

local FIELDS <const> = option_table.merged(filter.FIELDS, { direction = option_table.one_of { "in", "out" },
  bytes = option_table.whole(0), data = option_table.text })

local function checked(what, any)
  if type(any) == "string" then any = { flags = any } end
  option_table.check(what, any, FIELDS)
  filter.kinds(what, any.flags)
  filter.addresses(what, any)
  return any
end

local function matches(wanted, s)
  local ends = option_table.merged(wanted)
  ends.direction = nil
  return rule_meaning.loses(ends, s) and (not wanted.direction or wanted.direction == s.direction)
    and (not wanted.bytes or wanted.bytes == s.bytes)
    and (not wanted.data or s.packet:find(wanted.data, 1, true) ~= nil)
end

local function shown_wanted(wanted)
  if not wanted then return "(no more)" end
  local words = {}
  for _, name in ipairs(value.sorted_keys(wanted)) do
    local any = wanted[name]
    if type(any) == "table" then any = table.concat(any, " or ") end
    words[#words + 1] = name == "flags" and tostring(any) or ("%s %s"):format(name, any)
  end
  return #words > 0 and table.concat(words, ", ") or "any"
end

local function shown_seen(s)
  if not s then return "(no more)" end
  local data = s.bytes > 0 and (" %d bytes"):format(s.bytes) or ""
  return ("%s %s > %s %s%s"):format(s.direction, s.from, s.to, s.flags, data)
end

-- Both lists side by side; an arrow marks the first row that differs.
local function columns(wanted, seen)
  local left, lines, marked = { "expected" }, {}, false
  for i = 1, math.max(#wanted, #seen) do left[i + 1] = shown_wanted(wanted[i]) end
  local width = text.widest(left, 0)
  lines[1] = ("   %s | seen"):format(text.left(left[1], width))
  for i = 2, #left do
    local w, s = wanted[i - 1], seen[i - 1]
    local differs = not marked and not (w and s and matches(w, s))
    marked = marked or differs
    lines[i] = ("%s %s | %s"):format(differs and "->" or "  ", text.left(left[i], width), shown_seen(s))
  end
  return table.concat(lines, "\n"), marked
end

-- Where the next expectation begins, by capture: a segment's number, and how many segments the kernel had dropped.
local reached = setmetatable({}, { __mode = "k" })
local BEGINNING <const> = { number = 0, dropped = 0 }

-- The segments since then that count. None, if the capture has lost a segment that might count.
local function news(capture, only)
  local since = reached[capture] or BEGINNING
  local all, message, code = capture:segments(since.number)
  if not all then return nil, message, code end
  local oldest, dropped = all[1] and all[1].number or since.number, capture:statistics().dropped
  local forgotten, missed = oldest - since.number, dropped - since.dropped
  if forgotten + missed > 0 then
    reached[capture] = { number = oldest, dropped = dropped }
    message = "expect: segments are lost that might be expected (ENOBUFS): the capture has forgotten %d, and the "
      .. "kernel dropped %d; let the capture keep more, or expect earlier"
    return nil, message:format(forgotten, missed), "ENOBUFS"
  end
  local seen = {}
  for _, s in ipairs(all) do
    if not only or matches(only, s) then seen[#seen + 1] = s end
  end
  return seen
end

-- Waits until as many have come as are wanted, or for the timeout.
local function wait_for(capture, only, count, timeout)
  local seen, message, code
  waiting.until_true(function()
    seen, message, code = news(capture, only)
    return not seen or #seen >= count
  end, timeout)
  return seen, message, code
end

---@class lunet.capture
local capture = core.capture_methods

--- Waits until it has seen as many segments as the list has, since the last call of this. Fails unless they are exactly
--- these, in this order; the message then has both lists side by side. After a success the next expectation begins
--- behind them; after a failure it begins at the same place.
---
---     print(#assert(capture:expect({ "SYN", "SYN-ACK", { flags = "ACK", bytes = 0 } }, 60))) --> 3
---@async
---@param list (string|lunet.expected_segment)[] `only` in it: count only the segments that this describes
---@param timeout? number seconds
---@return lunet.segment_seen[]|nil segments
---@return string? message
---@return string? code "DIFFERENT"; "TIMEOUT" if too few came; "ENOBUFS" if one is lost that might count: the next
--- expectation begins with the oldest that the capture keeps
function capture:expect(list, timeout)
  core.check_self(self, "lunet.capture")
  if type(list) ~= "table" then core.misuse(("expect: a list of segments expected, not %s"):format(tostring(list))) end
  waiting.check(timeout, "expect")
  local only = list.only ~= nil and checked("expect: only", list.only) or nil
  local wanted = {}
  for i, any in ipairs(list) do wanted[i] = checked(("expect: [%d]"):format(i), any) end
  local seen, message, code = wait_for(self, only, #wanted, timeout)
  if not seen then return nil, message, code end
  local lines, differs = columns(wanted, seen)
  if differs then
    code = #seen < #wanted and "TIMEOUT" or "DIFFERENT"
    return nil, ("expect: other segments passed (%s)\n%s"):format(code, lines), code
  end
  if #seen > 0 then
    reached[self] = { number = seen[#seen].number + 1, dropped = (reached[self] or BEGINNING).dropped }
  end
  return seen
end

return capture
