-- The echo server that churn and ping-pong share.
local socket = require "cqueues.socket"

local echo = {}

-- Returns the listening socket and its port.
function echo.listen()
  local server = assert(socket.listen { host = "127.0.0.1", port = 0 })
  assert(server:listen())
  local _, _, port = server:localname()
  return server, port
end

local function serve(connection, patience)
  connection:setmode("bn", "bn")
  connection:settimeout(patience)
  while true do
    local data = connection:read(-4096)
    if not data then break end
    connection:write(data)
  end
  connection:close()
end

function echo.serve(queue, server, patience)
  for connection in server:clients() do queue:wrap(serve, connection, patience) end
end

function echo.connect(port)
  local connection = assert(socket.connect("127.0.0.1", port))
  connection:setmode("bn", "bn")
  return connection
end

return echo
