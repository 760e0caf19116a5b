--- The segments of a run as a file for Wireshark and tshark: pcapng (IETF draft-ietf-opsawg-pcapng). Each host has an
--- interface. Each segment stands once, as its sender saw it, with a comment if it was lost or sent again.
local segments = require "lunet.recording.segments"
local text = require "lunet.text.width"
local value = require "lunet.text.value"

local pcapng = {}

local RAW <const> = 101 -- LINKTYPE_RAW: a packet begins with its IP header
local NANOSECONDS <const> = 9
local IF_NAME, IF_TSRESOL, EPB_FLAGS, COMMENT, SHB_USERAPPL <const> = 2, 9, 2, 1, 4
local INBOUND, OUTBOUND <const> = 1, 2

local function padded(bytes) return bytes .. ("\0"):rep(-#bytes % 4) end

local function option(code, bytes) return string.pack("<I2I2", code, #bytes) .. padded(bytes) end

local END_OF_OPTIONS <const> = string.pack("<I2I2", 0, 0)

local function block(kind, body)
  local length = #body + 12
  return string.pack("<I4I4", kind, length) .. body .. string.pack("<I4", length)
end

local function section()
  return block(0x0A0D0D0A, string.pack("<I4I2I2i8", 0x1A2B3C4D, 1, 0, -1) .. option(SHB_USERAPPL, "lunet")
    .. END_OF_OPTIONS)
end

local function interface(name)
  return block(1, string.pack("<I2I2I4", RAW, 0, 0) .. option(IF_NAME, text.shown(name)) -- the draft demands UTF-8
    .. option(IF_TSRESOL, string.char(NANOSECONDS)) .. END_OF_OPTIONS)
end

local function comment_of(e)
  local words = {}
  if e.again then words[#words + 1] = "sent again" end
  if e.lost then words[#words + 1] = segments.LOST[e.lost] end
  return #words > 0 and option(COMMENT, table.concat(words, ", ")) or ""
end

local function nanoseconds(seconds) return math.floor(seconds * 1e9 + 0.5) end

-- Adds integers: a float with the seconds since 1970 has no room for nanoseconds.
local function packet(e, number, to_wall_ns)
  local ns = nanoseconds(e.at) + to_wall_ns
  local flags = string.pack("<I4", e.host and OUTBOUND or INBOUND)
  return block(6, string.pack("<I4I4I4I4I4", number, ns >> 32, ns & 0xffffffff, #e.packet, e.length)
    .. padded(e.packet) .. comment_of(e) .. option(EPB_FLAGS, flags) .. END_OF_OPTIONS)
end

--- Makes the file's content.
---@param run lunet.run
---@return string
function pcapng.encode(run)
  local parts, numbers, to_wall_ns = { section() }, {}, nanoseconds(run:to_wall())
  for i, number in ipairs(value.sorted_keys(run.hosts)) do
    parts[#parts + 1] = interface(run:host_name(number))
    numbers[number] = i - 1
  end
  for _, e in ipairs(run.events) do
    if e.kind == "segment" then parts[#parts + 1] = packet(e, numbers[e.host or e.to_host], to_wall_ns) end
  end
  return table.concat(parts)
end

return pcapng
