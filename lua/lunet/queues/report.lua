--- A look at the queues in the forms in which it leaves lunet: as JSON, and as a table with sentences.
local fields = require "lunet.queues.fields"
local json = require "lunet.text.json"
local sentences = require "lunet.queues.sentences"
local tabular = require "lunet.text.table"
local text = require "lunet.text.width"

local report = {}

local COLUMNS <const> = 120
local LONGEST <const> = 36 -- columns of an address in the table

-- -- JSON -------------------------------------------------------------------------------------

local QUEUE <const>, CLIENT <const> = fields.names(fields.OF_QUEUE), fields.names(fields.OF_CLIENT)
local WHOLE <const> = { "format", "time", "privileged", "listeners", "clients" }
local ORDER <const> = table.move(QUEUE, 1, #QUEUE, #WHOLE + 1, { table.unpack(WHOLE) })

local function with_nulls(entry, names)
  local whole = {}
  for _, name in ipairs(names) do
    local any = entry[name]
    whole[name] = any == nil and json.null or any
  end
  return whole
end

--- One entry as plain data: unknown fields are json.null.
---@param entry table
---@return table
function report.plain_queue(entry) return with_nulls(entry, QUEUE) end

local function plain(look, is_root)
  local whole = { format = 1, time = look.time, privileged = is_root, listeners = {}, clients = {} }
  for i, entry in ipairs(look.listeners) do whole.listeners[i] = report.plain_queue(entry) end
  for i, entry in ipairs(look.clients) do whole.clients[i] = with_nulls(entry, CLIENT) end
  return whole
end

--- A look as one JSON object (doc/queues.schema.json).
---@param look lunet.queue_look
---@param is_root boolean
---@return string
function report.json(look, is_root) return json.encode(plain(look, is_root), ORDER) end

--- The same in one line.
---@param look lunet.queue_look
---@param is_root boolean
---@return string
function report.line(look, is_root) return json.line(plain(look, is_root), ORDER) end

-- -- the table --------------------------------------------------------------------------------

local function shortened(words)
  if text.width(words) <= LONGEST then return words end
  return "..." .. text.shown(words):sub(-(LONGEST - 3))
end

local function program_of(entry) return entry.program and ("%s/%d"):format(entry.program, entry.pid) or "?" end

local function known(any) return any == nil and "?" or any end

local function row_of(entry, is_watch)
  local is_tcp = entry.port ~= nil
  local several = entry.sockets > 1 and (" (%d sockets)"):format(entry.sockets) or ""
  return {
    listener = shortened(entry.address) .. several, program = program_of(entry), depth = entry.depth,
    limit = entry.limit, somaxconn = entry.at_somaxconn and "at it" or nil,
    drops = is_tcp and known(entry.drops) or nil,
    ["drops/s"] = is_watch and is_tcp and known(entry.drops_per_second) or nil, fin = known(entry.left_by_fin),
    rst = is_tcp and known(entry.left_by_reset) or nil, bytes = is_tcp and entry.bytes or nil,
    oldest_s = entry.oldest_seconds, half_open = is_tcp and entry.half_open or nil, peak = entry.peak,
  }
end

local FIRST <const> = { "listener", "program", "depth", "limit", "somaxconn", "drops", "drops/s", "fin", "rst", "bytes",
  "oldest_s", "half_open", "peak" }

local function row_of_member(member)
  return { listener = "- " .. shortened(member.address), depth = member.depth, limit = member.limit,
    drops = known(member.drops) }
end

local function is_empty_path(entry) return not entry.port and entry.peak == 0 end

--- The lines of a look.
---@param look lunet.queue_look
---@param how {is_watch: boolean, shows_all: boolean, is_root: boolean}
---@return string[]
function report.lines(look, how)
  local rows, hidden = {}, 0
  for _, entry in ipairs(look.listeners) do
    if is_empty_path(entry) and not how.shows_all then
      hidden = hidden + 1
    else
      rows[#rows + 1] = row_of(entry, how.is_watch)
      for _, member in ipairs(entry.members or {}) do rows[#rows + 1] = row_of_member(member) end
    end
  end
  local lines = #rows > 0 and tabular.lines(rows, FIRST, COLUMNS) or { "Nobody listens here." }
  if hidden > 0 then
    lines[#lines + 1] = ("%d Unix listeners with empty queues are not shown (--all shows them)."):format(hidden)
  end
  local told = sentences.of(look, how.is_root)
  if #told > 0 then lines[#lines + 1] = "" end
  for _, sentence in ipairs(told) do text.add_wrapped(lines, "", sentence) end
  return lines
end

return report
