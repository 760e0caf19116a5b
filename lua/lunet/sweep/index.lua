--- The index of a sweep: DIR/index has the rows of the records that were read, so that the next report need not read
--- them again. The records stay the truth: a row serves while its record is the same file, with the same length and the
--- same time of change. An index that is missing, cannot be read or is of another format is made anew.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local json = require "lunet.text.json"
local value = require "lunet.text.value"

local lfs = dependency "lfs"

---@class lunet.sweep_index
---@field private path string of the directory
---@field private began integer seconds since 1970: since then records are read
---@field private entries table<string, table> by the names of runs
---@field private shapes table[] of rows, by their numbers
---@field private numbers table<string, integer> of shapes, by the words for their fields
---@field private last? integer the number that was given last
---@field private is_new boolean whether it has rows that its file does not have
local index = {}
index.__index = index

-- Raise it when the rows change. A file is this line; a line of JSON, the shapes of the rows; the rows.
local FORMAT <const> = "lunet sweep index 1"
local ENTRY <const> = "<s1i8i8i8I4s4" -- name; inode, bytes and time of change of the record; shape, values

local PARTS <const> = { "record", "knobs", "figures" } -- tables of a row
local KINDS <const> = { integer = "i8", float = "d", string = "s4", boolean = "B" }

local function kind_of(any) return math.type(any) or type(any) end

-- -- shapes: which fields the tables of a row have, and of which kind they are -------------------

local function fields_of(row)
  local fields = {}
  for _, part in ipairs(PARTS) do
    for _, name in ipairs(value.sorted_keys(row[part])) do
      fields[#fields + 1] = { part = part, name = name, kind = kind_of(row[part][name]) }
    end
  end
  return fields
end

-- The number of the shape with these fields, which is made if there is none.
local function shape_with(self, fields)
  local words, formats, truths = {}, {}, {}
  for i, field in ipairs(fields) do
    words[i], formats[i] = ("%s %s %s"):format(field.part, field.kind, field.name), KINDS[field.kind]
    if field.kind == "boolean" then truths[#truths + 1] = i end
  end
  local key = table.concat(words, "\n")
  if not self.numbers[key] then
    self.shapes[#self.shapes + 1] = { fields = fields, format = "<" .. table.concat(formats), truths = truths }
    self.numbers[key] = #self.shapes
  end
  return self.numbers[key]
end

local function fits(shape, row)
  local count = 0
  for _, part in ipairs(PARTS) do
    for _ in pairs(row[part]) do count = count + 1 end
  end
  if count ~= #shape.fields then return false end
  for _, field in ipairs(shape.fields) do
    if kind_of(row[field.part][field.name]) ~= field.kind then return false end
  end
  return true
end

-- The number of a row's shape. Most rows have that of the row before.
local function number_of(self, row)
  if not self.last or not fits(self.shapes[self.last], row) then self.last = shape_with(self, fields_of(row)) end
  return self.last
end

local function pack(shape, row)
  local values = {}
  for i, field in ipairs(shape.fields) do values[i] = row[field.part][field.name] end
  for _, i in ipairs(shape.truths) do values[i] = values[i] and 1 or 0 end
  return string.pack(shape.format, table.unpack(values, 1, #shape.fields))
end

local function unpack(shape, text)
  local row, values = { record = {}, knobs = {}, figures = {} }, { string.unpack(shape.format, text) }
  for _, i in ipairs(shape.truths) do values[i] = values[i] == 1 end
  for i, field in ipairs(shape.fields) do row[field.part][field.name] = values[i] end
  return row
end

-- -- the file ---------------------------------------------------------------------------------

local function read_shapes(self, line)
  local head = assert(json.decode(line))
  for _, fields in ipairs(head.shapes) do shape_with(self, fields) end
  return head.began
end

-- Raises an error, whichever, if the file is no index.
local function read(self, text)
  local head, shapes, at = text:match "^([^\n]*)\n([^\n]*)\n()"
  assert(head == FORMAT)
  local began = read_shapes(self, shapes)
  while at <= #text do
    local name
    local entry = {}
    name, entry.inode, entry.bytes, entry.changed, entry.shape, entry.values, at = string.unpack(ENTRY, text, at)
    assert(self.shapes[entry.shape])
    -- A record that was changed in the second in which it was read may have been changed again.
    if entry.changed < began then self.entries[name] = entry end
  end
end

local function new(path)
  return setmetatable({ path = path, began = os.time(), entries = {}, shapes = {}, numbers = {}, is_new = false },
    index)
end

--- The index of a sweep's directory.
---@param path string
---@return lunet.sweep_index
function index.open(path)
  local self = new(path)
  local file <close> = io.open(path .. "/index", "rb")
  local text = file and file:read "a"
  if text and pcall(read, self, text) then return self end
  return new(path)
end

local function look(self, name)
  local found = lfs.attributes(("%s/runs/%s.json"):format(self.path, name), self.attributes or {})
  self.attributes = found or self.attributes
  return found
end

--- The row of a run whose record is the same as when the row was added.
---@param name string
---@return table|nil row
function index:find(name)
  local entry, found = self.entries[name], look(self, name)
  if not found then return nil end
  if entry and entry.inode == found.ino and entry.bytes == found.size and entry.changed == found.modification then
    return unpack(self.shapes[entry.shape], entry.values)
  end
  self.entries[name] = { inode = found.ino, bytes = found.size, changed = found.modification }
  return nil
end

--- Adds the row of a run that was just asked for and not found.
---@param name string
---@param row table
function index:add(name, row)
  local entry = self.entries[name]
  if not entry then return end -- the record came after the look
  entry.shape = number_of(self, row)
  entry.values = pack(self.shapes[entry.shape], row)
  self.is_new = true
end

--- Writes the index, if it has new rows. Where it cannot be written, the next report reads all records.
function index:save()
  if not self.is_new then return end
  local head = { began = self.began, shapes = {} }
  for i, shape in ipairs(self.shapes) do head.shapes[i] = shape.fields end
  local parts = { FORMAT, "\n", json.line(head), "\n" }
  for name, entry in pairs(self.entries) do
    if entry.values then
      parts[#parts + 1] = string.pack(ENTRY, name, entry.inode, entry.bytes, entry.changed, entry.shape, entry.values)
    end
  end
  core.replace_file(self.path .. "/index", table.concat(parts))
end

return index
