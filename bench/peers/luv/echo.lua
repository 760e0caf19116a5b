-- The echo server that churn and ping-pong share.
local uv = require "luv"

local echo = {}

local function close(connection, timer)
  if timer and not timer:is_closing() then timer:close() end
  if not connection:is_closing() then connection:close() end
end

local function serve(server, patience)
  local connection = uv.new_tcp()
  local timer = patience and uv.new_timer()
  local function on_late() close(connection, timer) end
  server:accept(connection)
  connection:read_start(function(message, data)
    if message or not data then return close(connection, timer) end
    if timer then timer:stop() end
    connection:write(data)
    if timer then timer:start(patience, 0, on_late) end
  end)
  if timer then timer:start(patience, 0, on_late) end
end

--- Listens on loopback and calls back; returns the listening handle and its port.
function echo.listen(backlog, on_connection)
  local server = uv.new_tcp()
  assert(server:bind("127.0.0.1", 0))
  assert(server:listen(backlog, function(message)
    assert(not message, message)
    on_connection(server)
  end))
  return server, server:getsockname().port
end

---@param patience? integer milliseconds for each receive
function echo.start(patience)
  return echo.listen(4096, function(server) serve(server, patience) end)
end

function echo.now() return uv.hrtime() / 1e9 end

return echo
