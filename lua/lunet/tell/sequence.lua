--- The timeline as a sequence diagram for the terminal: a lane for each host, time down, arrows for segments, the queue
--- in a lane of its own, and gaps for long silences.
local characters = require "lunet.text.characters"
local segments = require "lunet.recording.segments"
local text = require "lunet.text.width"

local sequence = {}

local TIME <const> = 9 -- columns of the milliseconds
local FIRST <const> = TIME + 4 -- the column of the first lane
local QUEUE <const> = 10 -- columns of the queue's lane, left of the server's
local SERVER <const> = 48 -- the column of the server's lane, left of its texts
local GAP <const> = 0.02 -- s: a longer silence is a gap
local MOST_CLIENTS <const> = 3

local UNICODE = {
  line = "│", event = "●", kernel = "○", stroke = "─", to_right = "▶", to_left = "◀", lost = "✗", gap = "┊",
}
local ASCII = {
  line = "|", event = "*", kernel = "o", stroke = "-", to_right = ">", to_left = "<", lost = "X", gap = ":",
}

local COLOURS = { "36", "33", "35", "32" } -- of the lanes: cyan, yellow, magenta, green
local DIM, BOLD, RED = "2", "1", "31"

-- -- a row of cells ----------------------------------------------------------------------------

-- Puts a text into a row at a column; each cell is {characters, colour}.
local function put(row, column, words, colour)
  for i, cell in ipairs(characters.cells(text.shown(words))) do row[column + i - 1] = { cell, colour } end
end

local function is_free(row, from, to)
  for column = from, to do
    if row[column] and not row[column].is_lane then return false end
  end
  return true
end

local function row_text(row, has_colour)
  local last = 0
  for column in pairs(row) do last = math.max(last, column) end
  local parts, colour = {}, nil
  for column = 1, last do
    local cell = row[column] or { " " }
    if has_colour and cell[2] ~= colour then
      parts[#parts + 1] = cell[2] and ("\27[0;%sm"):format(cell[2]) or "\27[0m"
      colour = cell[2]
    end
    parts[#parts + 1] = cell[1]
  end
  if colour then parts[#parts + 1] = "\27[0m" end
  return (table.concat(parts):gsub("%s+$", ""))
end

-- -- the canvas --------------------------------------------------------------------------------

local canvas = {}
canvas.__index = canvas

local function new_row(self, glyph)
  local row = {}
  for _, lane in ipairs(self.lanes) do
    row[lane.column] = { glyph or self.glyphs.line, DIM, is_lane = true }
  end
  self.rows[#self.rows + 1] = row
  return row
end

local function stamp(self, row, at)
  put(row, 1, text.right(("%.3f"):format(at * 1000), TIME), DIM)
  self.at = at
end

-- Breaks a text that does not fit right of a lane; the lanes go on beside the lower lines.
local function put_wrapped(self, row, column, words, colour)
  for i, part in ipairs(text.wrap(words, text.WIDTH - column + 1)) do
    if i > 1 then row = new_row(self) end
    put(row, column, part, colour)
  end
end

local function draw_queue(self, row, queue)
  local column = SERVER - QUEUE
  if not is_free(row, column, column + text.width(queue)) then row = new_row(self) end
  put(row, column, queue, BOLD)
end

local function draw_event(self, line)
  local row, lane = new_row(self), self.by_host[line.host] or self.lanes[#self.lanes]
  stamp(self, row, line.at)
  row[lane.column] = { line.is_kernel and self.glyphs.kernel or self.glyphs.event, lane.colour }
  local words = line.what
  if line.is_kernel then words = "kernel: " .. words end
  if not line.is_kernel and line.who ~= lane.name and line.who ~= "server" then words = line.who .. " " .. words end
  put_wrapped(self, row, lane.column + 2, words, lane.colour)
  if line.queue then draw_queue(self, row, line.queue) end
end

-- An arrow from lane to lane; a lost segment's arrow ends at the place of the loss.
local function draw_segment(self, line)
  local from, to = self.by_host[line.host], self.by_host[line.to_host]
  if not from or not to or from == to then
    return draw_event(self, { at = line.at, host = line.host or line.to_host, who = line.who or "?",
      what = ("%s to %s%s"):format(line.segment, line.whom or "itself",
        line.lost and ", " .. segments.LOST[line.lost] or ""),
      queue = line.queue })
  end
  local row, glyphs = new_row(self), self.glyphs
  stamp(self, row, line.at)
  local step = from.column < to.column and 1 or -1
  local colour = (line.lost or line.segment:find "RST") and RED or from.colour
  local finish = to.column - step
  if line.lost and line.lost ~= "rule" then finish = (from.column + to.column) // 2 end
  for column = from.column + step, finish, step do row[column] = { glyphs.stroke, colour } end
  local head = line.lost and glyphs.lost or step > 0 and glyphs.to_right or glyphs.to_left
  row[finish] = { head, colour }
  local label = " " .. line.segment .. " "
  local start = step > 0 and from.column + 2 or finish + 2
  put(row, start, label, colour)
  if line.lost == "rule" and to.column > from.column then put(row, to.column + 2, segments.LOST.rule, RED) end
  if line.queue then draw_queue(self, new_row(self), line.queue) end
end

local function draw_gap(self, seconds)
  local row = new_row(self, self.glyphs.gap)
  put(row, 1, text.right(("%.3g s"):format(seconds), TIME), DIM)
end

local function draw_note(self, note)
  new_row(self)
  for _, part in ipairs(text.wrap(note, text.WIDTH - 2)) do
    local row = {}
    put(row, 3, part, BOLD)
    self.rows[#self.rows + 1] = row
  end
end

local function draw_heading(self)
  local row = {}
  put(row, TIME - 1, "ms", DIM)
  for _, lane in ipairs(self.lanes) do put(row, lane.column, lane.name, lane.colour) end
  put(row, SERVER - QUEUE, "queue", BOLD)
  self.rows[#self.rows + 1] = row
end

-- -- which lanes -------------------------------------------------------------------------------

local function listeners_of(events)
  local listeners = {}
  for _, e in ipairs(events) do
    if e.kind == "listen" or e.kind == "found" then listeners[e.host] = true end
  end
  return listeners
end

-- Hosts with events, and the host that listens; nil if several listen.
local function hosts_of(run)
  local listeners, clients, server, is_seen = listeners_of(run.events), {}, nil, {}
  for _, line in ipairs(run:rows()) do
    local host = line.host or line.to_host
    if host and not is_seen[host] then
      is_seen[host] = true
      if not listeners[host] then
        clients[#clients + 1] = host
      elseif server then
        return nil
      else
        server = host
      end
    end
  end
  table.sort(clients)
  return server and clients, server
end

local function lanes_of(run, clients, server)
  local made = {}
  local spacing = (SERVER - QUEUE - FIRST) // math.max(1, #clients)
  local function add(host, column, colour)
    made[#made + 1] = { host = host, column = column, colour = colour, name = text.shown(run:host_name(host)) }
  end
  for i, host in ipairs(clients) do add(host, FIRST + (i - 1) * spacing, COLOURS[i]) end
  add(server, SERVER, COLOURS[4])
  return made
end

--- Draws the timeline of a run, at most 80 columns wide. Returns nil unless one host listens and one to three others
--- have events.
---@param run lunet.run
---@param style? {unicode: boolean?, colour: boolean?} plain ASCII by default
---@return string[]? rows
function sequence.draw(run, style)
  style = style or {}
  local clients, server = hosts_of(run)
  if not clients or #clients == 0 or #clients > MOST_CLIENTS then return nil end
  local self = setmetatable({ rows = {}, by_host = {}, glyphs = style.unicode and UNICODE or ASCII }, canvas)
  self.lanes = lanes_of(run, clients, server)
  for _, lane in ipairs(self.lanes) do self.by_host[lane.host] = lane end
  draw_heading(self)
  for _, line in ipairs(run:rows()) do
    if self.at and line.at - self.at >= GAP then draw_gap(self, line.at - self.at) end
    if line.note then draw_note(self, line.note)
    elseif line.segment then draw_segment(self, line)
    else draw_event(self, line) end
  end
  local rows = {}
  for i, row in ipairs(self.rows) do rows[i] = row_text(row, style.colour) end
  return rows
end

return sequence
