--- Text for a terminal or a pipe: its escapes, its width, and its lines. Each function escapes its text, so that no
--- control character of a script or a program reaches the terminal.
local characters = require "lunet.text.characters"

local text = {}

text.WIDTH = 80 -- columns that every line should fit into

--- The text in one line, with escapes such as "\n", "\x1b" and "\xff". A second call changes nothing more.
---@param any any
---@return string
function text.shown(any) return characters.shown(tostring(any)) end

--- The same for a text of several lines: line ends and tabs stay.
---@param any any
---@return string
function text.lines_shown(any) return characters.shown(tostring(any), "\n\t") end

--- The columns of a text with its escapes.
---@param words string
---@return integer
function text.width(words) return characters.width(characters.shown(words)) end

--- The width of the widest text, and no less than `least`.
---@param texts string[]
---@param least integer
---@return integer
function text.widest(texts, least)
  for _, words in ipairs(texts) do least = math.max(least, text.width(words)) end
  return least
end

--- Fills a text up with spaces on its right.
---@param words string
---@param width integer
---@return string
function text.left(words, width) return text.shown(words) .. (" "):rep(width - text.width(words)) end

--- Fills a text up with spaces on its left.
---@param words string
---@param width integer
---@return string
function text.right(words, width) return (" "):rep(width - text.width(words)) .. text.shown(words) end

--- Breaks a text into lines of at most `width` columns, at white space. A longer word has a line of its own.
---@param words string
---@param width integer
---@return string[]
function text.wrap(words, width)
  local lines, line = {}, ""
  for word in words:gmatch "%S+" do
    word = text.shown(word)
    if #line > 0 and text.width(line) + 1 + text.width(word) > width then
      lines[#lines + 1] = line
      line = ""
    end
    line = #line > 0 and line .. " " .. word or word
  end
  lines[#lines + 1] = line
  return lines
end

local LEAST = 20 -- columns for the broken text, however wide its start is

--- Adds a text to lines, broken at spaces. `start` stands before its first line and indents the others.
---@param lines string[]
---@param start string
---@param words string
function text.add_wrapped(lines, start, words)
  for _, part in ipairs(text.wrap(words, math.max(text.WIDTH - text.width(start), LEAST))) do
    lines[#lines + 1] = (start .. part):gsub("%s+$", "")
    start = (" "):rep(text.width(start))
  end
end

return text
