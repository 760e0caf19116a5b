--- Text for a terminal or a pipe: how wide it is, and how it is broken into lines.
local text = {}

text.WIDTH = 80 -- columns that every line should fit into

--- How many columns a text takes: its characters, or its bytes if it is not UTF-8.
---@param words string
---@return integer
function text.width(words) return utf8.len(words) or #words end

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
function text.left(words, width) return words .. (" "):rep(width - text.width(words)) end

--- Fills a text up with spaces on its left.
---@param words string
---@param width integer
---@return string
function text.right(words, width) return (" "):rep(width - text.width(words)) .. words end

--- Breaks a text into lines of at most `width` columns, at spaces. A longer word has a line of its own.
---@param words string
---@param width integer
---@return string[]
function text.wrap(words, width)
  local lines, line = {}, ""
  for word in words:gmatch "%S+" do
    if #line > 0 and text.width(line) + 1 + text.width(word) > width then
      lines[#lines + 1] = line
      line = ""
    end
    line = #line > 0 and line .. " " .. word or word
  end
  lines[#lines + 1] = line
  return lines
end

local LEAST = 20 -- columns for a broken text, however wide what stands before it

--- Adds to lines what stands before a text, and the text, broken at spaces and indented alike.
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
