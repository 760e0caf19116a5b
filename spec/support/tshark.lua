--- Capture files, as tshark reads them.
local program = require "spec.support.program"

local tshark = {}

--- Reads a capture with tshark.
---@param content string the bytes of the file
---@param ... string fields of tshark, such as "tcp.len"
---@return string[][] rows one list of the fields' values for each packet
---@return {status: integer, errors: string} result of tshark
function tshark.read(content, ...)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  local result = program.shell(("tshark -r %s -T fields -e %s"):format(path, table.concat({ ... }, " -e ")))
  os.remove(path)
  local rows = {}
  for line in result.output:gmatch "[^\n]+" do
    local row = {}
    for value in (line .. "\t"):gmatch "(.-)\t" do row[#row + 1] = value end
    rows[#rows + 1] = row
  end
  return rows, result
end

-- The headers of IPv4 (RFC 791) and TCP (RFC 9293), without checksums: tshark does not check them.
local function packet(from_port, to_port, payload)
  local tcp = string.pack(">I2I2I4I4I1I1I2I2I2", from_port, to_port, 1, 1, 0x50, 0x18, 512, 0, 0) .. payload
  return string.pack(">I1I1I2I2I2I1I1I2I4I4", 0x45, 0, 20 + #tcp, 1, 0x4000, 64, 6, 0, 0x0a000002, 0x0a000001) .. tcp
end

--- A segment event with some bytes to a port, as files.pcapng takes it. Its source port is one that
--- tshark does not know.
---@param port integer
---@return lunet.segment_event
function tshark.data_to(port)
  local bytes = packet(40000, port, "some bytes\n")
  return { kind = "segment", at = 1, host = 1, packet = bytes, length = #bytes }
end

return tshark
