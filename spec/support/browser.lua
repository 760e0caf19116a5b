--- A browser that opens pages of a scratch directory. It runs only where its own sandbox, fonts and libraries allow it.
local browser = {}

local BOUND <const> = require "spec.support.bound"
local COMMAND <const> = "timeout -k 1 %d chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage "
  .. "--user-data-dir='%s/profile' --enable-logging=stderr --virtual-time-budget=2000 %s"

---@param place lunet.scratch
---@return fun(options: string): string, string browse takes chromium's options; returns its output and its errors
---@return string|nil refused why it does not run here
function browser.open(place)
  local function browse(options)
    local errors = place.path .. "/errors"
    local pipe = assert(io.popen(("%s </dev/null 2>'%s'"):format(COMMAND:format(BOUND, place.path, options), errors)))
    local output = pipe:read "a"
    pipe:close()
    return output, place:read "errors"
  end

  if not os.execute "command -v chromium >/dev/null" then return browse, "chromium is not installed" end
  place:write("empty.html", "<p>here</p>")
  local output, errors = browse(("--dump-dom 'file://%s/empty.html'"):format(place.path))
  return browse, not output:find "here" and "chromium does not run here: " .. errors:sub(1, 300) or nil
end

return browser
