--- The characters of a foreign text: whether a reader can see them, the escapes for the others, and their columns on a
--- terminal. Every teller shows texts through one function for its format: text.shown for the terminal, markup.escape
--- for HTML and SVG, json.encode for JSON, markup.cell for Markdown.
local core = require "lunet.core"

local characters = {}

local NAMED <const> = { [9] = "\\t", [10] = "\\n", [13] = "\\r" }

local function code_text(code)
  return NAMED[code] or (code < 0x80 and "\\x%02x" or "\\u{%x}"):format(code)
end

-- These reorder the text around them (Unicode Standard Annex #9): the reader would see another order.
local function is_direction(code) return code >= 0x202a and code <= 0x202e or code >= 0x2066 and code <= 0x2069 end

local widths = {} -- by code: a cache, since each call of the core costs time

local function width_of(code)
  local width = widths[code]
  if not width then
    width = is_direction(code) and -1 or core.character_width(code)
    widths[code] = width
  end
  return width
end

-- Calls fn(code, first, last) for each character, and fn(nil, at, at) for each byte outside of a character.
local function for_each(words, fn)
  local at = 1
  while at <= #words do
    local code = utf8.len(words, at, at) and utf8.codepoint(words, at)
    local last = at + (code and #utf8.char(code) or 1) - 1
    fn(code, at, last)
    at = last + 1
  end
end

-- All bytes of a character outside of ASCII are in one such piece.
local function replace(words, is_kept)
  if not words:find "[%c\x80-\xff]" then return words end
  return (words:gsub("[%c\x80-\xff]+", function(piece)
    local parts = {}
    for_each(piece, function(code, first, last)
      if not code then parts[#parts + 1] = ("\\x%02x"):format(piece:byte(first))
      elseif is_kept(code) then parts[#parts + 1] = piece:sub(first, last)
      else parts[#parts + 1] = code_text(code) end
    end)
    return table.concat(parts)
  end))
end

--- The text in UTF-8: each byte outside of a character becomes "\xHH".
---@param words string any bytes
---@return string
function characters.valid(words)
  return utf8.len(words) and words or replace(words, function() return true end)
end

--- The text in a form that a reader can see. Control characters (line ends and escape sequences among them), unassigned
--- characters and those that change the direction of writing become "\n", "\x1b", "\u{202e}". A byte outside of a
--- character becomes "\xff".
---@param words string any bytes
---@param kept? string control characters that stay, such as "\n\t"; none by default
---@return string
function characters.shown(words, kept)
  return replace(words, function(code)
    return width_of(code) >= 0 or kept and code < 0x80 and kept:find(string.char(code), 1, true)
  end)
end

--- The text as cells of a terminal. An empty cell follows a wide character. A combining character shares the cell of
--- the character before it.
---@param words string from characters.shown
---@return string[]
function characters.cells(words)
  local cells = {}
  for_each(words, function(code, first, last)
    local width, bytes = code and width_of(code) or 1, words:sub(first, last)
    if width == 0 and #cells > 0 then
      local at = cells[#cells] == "" and #cells - 1 or #cells
      cells[at] = cells[at] .. bytes
    else
      cells[#cells + 1] = bytes
      if width == 2 then cells[#cells + 1] = "" end
    end
  end)
  return cells
end

--- The columns of a text.
---@param words string from characters.shown
---@return integer
function characters.width(words)
  local width = #words
  for piece in words:gmatch "[\x80-\xff]+" do
    width = width - #piece
    for_each(piece, function(code) width = width + (code and math.max(width_of(code), 0) or 1) end)
  end
  return width
end

return characters
