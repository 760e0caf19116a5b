--- A look at the queues in Prometheus's text format, as node_exporter's textfile collector reads it.
local characters = require "lunet.text.characters"

local prometheus = {}

local function full_count(entry)
  local count = 0
  for _, one in ipairs(entry.members or { entry }) do count = count + (one.depth > one.limit and 1 or 0) end
  return count
end

-- Name, type, help, and the value of an entry: nil if it is unknown.
local OF_QUEUE <const> = {
  { "lunet_queue_depth", "gauge", "Connections in the accept queue.", function(e) return e.depth end },
  { "lunet_queue_limit", "gauge", "The effective backlog.", function(e) return e.limit end },
  { "lunet_queue_full", "gauge", "Listeners of this entry whose queue is full.", full_count },
  { "lunet_queue_drops_total", "counter", "Handshakes dropped since it began to listen.",
    function(e) return e.drops end },
  { "lunet_queue_left_by_fin", "gauge", "Queued connections that have sent a FIN.",
    function(e) return e.left_by_fin end },
  { "lunet_queue_left_by_reset", "gauge", "Queued connections that left by RST.",
    function(e) return e.left_by_reset end },
  { "lunet_queue_bytes", "gauge", "Unread bytes of queued clients.", function(e) return e.bytes end },
  { "lunet_queue_oldest_seconds", "gauge", "How long the longest silent queued client waits.",
    function(e) return e.oldest_seconds or e.depth == 0 and 0 or nil end },
  { "lunet_queue_half_open", "gauge", "Handshakes that are not over.", function(e) return e.half_open end },
  { "lunet_queue_peak", "gauge", "The greatest depth seen.", function(e) return e.peak end },
}
local OF_CLIENT <const> = {
  { "lunet_client_connecting", "gauge", "Connections whose SYN is not answered.", function(e) return e.connecting end },
  { "lunet_client_waiting", "gauge", "Connections that wait for an answer.", function(e) return e.waiting end },
  { "lunet_client_oldest_seconds", "gauge", "How long the oldest of them waits.",
    function(e) return e.oldest_seconds end },
}

local ESCAPES <const> = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function labels_of(entry)
  local parts = {}
  for i, name in ipairs { "address", "port", "program" } do
    parts[i] = ('%s="%s"'):format(name, characters.valid(tostring(entry[name] or "")):gsub('[\\"\n]', ESCAPES))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- Two Unix listeners may have one name; the format allows each line once.
local function add(lines, metrics, entries)
  for _, metric in ipairs(metrics) do
    local name, kind, help, value_of = table.unpack(metric)
    local has_line = {}
    lines[#lines + 1] = ("# HELP %s %s\n# TYPE %s %s"):format(name, help, name, kind)
    for _, entry in ipairs(entries) do
      local labels, value = labels_of(entry), value_of(entry)
      if value and not has_line[labels] then
        lines[#lines + 1] = ("%s%s %.14g"):format(name, labels, value)
        has_line[labels] = true
      end
    end
  end
end

--- The text of a look.
---@param look lunet.queue_look
---@return string
function prometheus.encode(look)
  local lines = {}
  add(lines, OF_QUEUE, look.listeners)
  add(lines, OF_CLIENT, look.clients)
  lines[#lines + 1] = "# HELP lunet_queues_look_time_seconds When lunet queues looked, since 1970.\n"
    .. "# TYPE lunet_queues_look_time_seconds gauge"
  lines[#lines + 1] = ("lunet_queues_look_time_seconds %.3f"):format(look.time)
  return table.concat(lines, "\n") .. "\n"
end

--- The names of all metrics.
---@return table<string, true>
function prometheus.names()
  local names = { lunet_queues_look_time_seconds = true }
  for _, metrics in ipairs { OF_QUEUE, OF_CLIENT } do
    for _, metric in ipairs(metrics) do names[metric[1]] = true end
  end
  return names
end

return prometheus
