--- Words of a command, and as a line for a shell (sh(1)).
local shell = {}

local function quote(word)
  if word:find "^[%w_./=,:+-]+$" then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- The words in one line, each quoted where the shell would take it apart.
---@param words string[]
---@return string
function shell.line(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = quote(word) end
  return table.concat(quoted, " ")
end

--- Lists of words as one.
---@param ... string[]
---@return string[] words
function shell.join(...)
  local all = {}
  for _, words in ipairs { ... } do table.move(words, 1, #words, #all + 1, all) end
  return all
end

return shell
