--- The fields of a queue and of clients, in order: the meaning of each, and where the kernel keeps it. The text of
--- `--explain`, the man page and the JSON of `lunet queues` share these tables.
local text = require "lunet.text.width"

local fields = {}

---@alias lunet.queue_field {name: string, meaning: string, source: string}

--- The fields of a queue.
---@type lunet.queue_field[]
fields.OF_QUEUE = {
  { name = "address", meaning = "Where it listens. Listeners that share a port by SO_REUSEPORT, or one at any address "
    .. "beside others at the same port, are one entry, with sums: by the addresses nobody can tell whose a queued "
    .. "connection is.", source = "sock_diag(7), sockets in LISTEN" },
  { name = "port", meaning = "Its port; none for a Unix path.", source = "the same" },
  { name = "pid", meaning = "The lowest number of a process that holds it. Only root sees other users' processes.",
    source = "/proc/PID/fd" },
  { name = "program", meaning = "What the kernel calls that process.", source = "/proc/PID/comm" },
  { name = "depth", meaning = "Connections whose handshake is over, and that the program has not accepted.",
    source = "sk_ack_backlog of the listener, idiag_rqueue in sock_diag(7)" },
  { name = "limit", meaning = "The backlog that listen(2) gave, at most net.core.somaxconn. The kernel drops a SYN if "
    .. "the depth is greater: the queue holds one connection more than its limit.",
    source = "sk_max_ack_backlog, idiag_wqueue in sock_diag(7)" },
  { name = "at_somaxconn", meaning = "Whether the limit equals net.core.somaxconn: a greater backlog would need that "
    .. "setting, too.", source = "/proc/sys/net/core/somaxconn" },
  { name = "drops", meaning = "Handshakes that the kernel has dropped for it since it began to listen.",
    source = "sk_drops, the last word of INET_DIAG_SKMEMINFO" },
  { name = "drops_per_second", meaning = "The same, since the look before. Only --watch has it.", source = "the same" },
  { name = "left_by_fin", meaning = "Queued connections that have sent a FIN. The client has closed, or was killed, or "
    .. "has only ended its side and still reads: the server's kernel cannot know.",
    source = "sockets in CLOSE_WAIT without an inode; Unix: UNIX_DIAG_ICONS" },
  { name = "left_by_reset", meaning = "Queued connections that the kernel does not list any more, because an RST came "
    .. "or it gave them up. They hold their places until the program accepts them. Unknown while looks disagree.",
    source = "depth less the listed connections without an inode" },
  { name = "bytes", meaning = "What the listed queued clients have sent. Nobody has read it.",
    source = "idiag_rqueue of the queued connections, without the FINs" },
  { name = "oldest_seconds", meaning = "How long the longest silent of them has sent nothing, or has waited since its "
    .. "handshake.", source = "tcpi_last_data_recv in TCP_INFO" },
  { name = "half_open", meaning = "Handshakes that are not over, or whose last ACK found the queue full.",
    source = "sockets in SYN_RECV" },
  { name = "peak", meaning = "The greatest depth that a look has found, since lunet queues began.",
    source = "the looks" },
  { name = "sockets", meaning = "The number of listeners in this entry.", source = "sock_diag(7)" },
  { name = "mptcp", meaning = "Whether it listens by MPTCP, as Go's programs do. Without CAP_NET_ADMIN older "
    .. "kernels hide the FINs of such connections; then left_by_fin is unknown.", source = "INET_DIAG_ULP_INFO" },
  { name = "members", meaning = "If there are several listeners: the address, depth, limit and drops of each.",
    source = "as above" },
}

--- The fields of the clients at one server's address.
---@type lunet.queue_field[]
fields.OF_CLIENT = {
  { name = "address", meaning = "The server's address.", source = "sock_diag(7)" },
  { name = "port", meaning = "Its port.", source = "the same" },
  { name = "pid", meaning = "The process of the connection that has waited longest.", source = "/proc/PID/fd" },
  { name = "program", meaning = "What the kernel calls it.", source = "/proc/PID/comm" },
  { name = "connecting", meaning = "Connections whose SYN is not answered.", source = "sockets in SYN_SENT" },
  { name = "waiting", meaning = "Connections that have sent bytes and have received none since. A request that was "
    .. "sent in the same tick of the kernel's clock (1 to 10 ms) as the reply before it is not counted.",
    source = "tcpi_last_data_sent and tcpi_last_data_recv in TCP_INFO" },
  { name = "queued", meaning = "Those of them whose other end is in a queue of this network namespace.",
    source = "the other end is a socket without an inode" },
  { name = "bytes", meaning = "Bytes that had no answer yet: all that were sent if none has ever come, otherwise those "
    .. "that the server's kernel has not acknowledged.", source = "tcpi_bytes_sent; idiag_wqueue" },
  { name = "oldest_seconds", meaning = "The time since the last bytes of the connection that has waited longest.",
    source = "tcpi_last_data_sent in TCP_INFO" },
}

--- The names of a list of fields, in its order.
---@param list lunet.queue_field[]
---@return string[]
function fields.names(list)
  local names = {}
  for i, field in ipairs(list) do names[i] = field.name end
  return names
end

local function add(lines, heading, list)
  lines[#lines + 1] = heading
  for _, field in ipairs(list) do
    lines[#lines + 1] = ""
    lines[#lines + 1] = "  " .. field.name
    text.add_wrapped(lines, "      ", field.meaning)
    text.add_wrapped(lines, "      From: ", field.source)
  end
end

--- All fields as a text.
---@return string
function fields.explain()
  local lines = {}
  add(lines, "A queue (in JSON: listeners). Unknown numbers are \"?\", in JSON null.", fields.OF_QUEUE)
  lines[#lines + 1] = ""
  add(lines, "Clients of this machine that wait, by the server's address (in JSON: clients).", fields.OF_CLIENT)
  return table.concat(lines, "\n")
end

return fields
