--- Where lunet keeps files for its user: $XDG_CACHE_HOME/lunet, else ~/.cache/lunet (XDG Base Directory Specification).
local user_cache = {}

--- A directory in it, which may not be there yet.
---@param name string
---@return string|nil path
---@return string? message
function user_cache.path(name)
  local base, home = os.getenv "XDG_CACHE_HOME" or "", os.getenv "HOME" or ""
  if base:sub(1, 1) ~= "/" then -- the specification wants a relative path ignored
    if home:sub(1, 1) ~= "/" then return nil, "neither XDG_CACHE_HOME nor HOME names a directory" end
    base = home .. "/.cache"
  end
  return ("%s/lunet/%s"):format(base, name)
end

return user_cache
