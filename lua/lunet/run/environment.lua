--- The environment of a run, on which its outcome may depend: versions, the level of recording, and the sysctls for
--- queues, handshakes, buffers, retransmission and ports (Documentation/networking/ip-sysctl.rst,
--- Documentation/admin-guide/sysctl/net.rst). doc/settings.md says which sysctl moves which figure.
local core = require "lunet.core"
local host_sysctl = require "lunet.network.sysctl"

local environment = {}

--- The sysctls of a record. A kernel may lack some of them.
environment.SYSCTLS = {
  -- queues and handshakes
  "net.core.somaxconn", "net.ipv4.tcp_abort_on_overflow", "net.ipv4.tcp_fastopen",
  "net.ipv4.tcp_fastopen_blackhole_timeout_sec", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_migrate_req",
  "net.ipv4.tcp_syn_linear_timeouts", "net.ipv4.tcp_syn_retries", "net.ipv4.tcp_synack_retries",
  "net.ipv4.tcp_syncookies",
  -- buffers, and how full they get
  "net.core.rmem_max", "net.core.wmem_max", "net.ipv4.tcp_adv_win_scale", "net.ipv4.tcp_autocorking",
  "net.ipv4.tcp_limit_output_bytes", "net.ipv4.tcp_mem", "net.ipv4.tcp_moderate_rcvbuf",
  "net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_rmem", "net.ipv4.tcp_shrink_window", "net.ipv4.tcp_window_scaling",
  "net.ipv4.tcp_wmem",
  -- congestion control, acknowledgement and retransmission
  "net.core.default_qdisc", "net.ipv4.tcp_allowed_congestion_control", "net.ipv4.tcp_congestion_control",
  "net.ipv4.tcp_early_retrans", "net.ipv4.tcp_ecn",
  "net.ipv4.tcp_frto", "net.ipv4.tcp_no_metrics_save", "net.ipv4.tcp_recovery", "net.ipv4.tcp_retries1",
  "net.ipv4.tcp_retries2", "net.ipv4.tcp_rto_max_ms", "net.ipv4.tcp_rto_min_us", "net.ipv4.tcp_sack",
  "net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_timestamps",
  -- the end of a connection, and its ports
  "net.ipv4.ip_local_port_range", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_max_orphans",
  "net.ipv4.tcp_max_tw_buckets", "net.ipv4.tcp_orphan_retries", "net.ipv4.tcp_rfc1337", "net.ipv4.tcp_tw_reuse",
  "net.ipv4.tcp_tw_reuse_delay",
  -- how often the kernel answers at all
  "net.ipv4.icmp_ratelimit", "net.ipv4.tcp_challenge_ack_limit", "net.ipv4.tcp_invalid_ratelimit",
}

--- A sysctl of the host that the process runs in.
---@param name string "net.core.somaxconn"
---@return number|string|nil value nil if this kernel has no such sysctl; several numbers have a space between them
function environment.sysctl(name)
  local text = host_sysctl.here(name)
  return text and (math.tointeger(tonumber(text)) or (text:gsub("\t", " ")))
end

--- Reads the environment.
---@param record lunet.record_level the level of recording, since recording costs the run time
---@return {kernel: string, lunet: string, lua: string, libuv: string, record: lunet.record_level,
---  sysctl: table<string, number|string>}
function environment.read(record)
  local lunet_version, libuv_version = core.versions()
  local sysctl = {}
  for _, name in ipairs(environment.SYSCTLS) do sysctl[name] = environment.sysctl(name) end
  return {
    kernel = ("%s %s"):format(host_sysctl.here "kernel.ostype", host_sysctl.here "kernel.osrelease"),
    lunet = lunet_version,
    lua = _VERSION:match "[%d.]+$",
    libuv = libuv_version,
    record = record,
    sysctl = sysctl,
  }
end

return environment
