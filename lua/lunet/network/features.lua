--- The features of the kernel that lunet, its experiments and its specs use by name, and that a kernel may lack: the
--- version that brought each, and the source for that. spec/network/features_spec.lua finds a use that is not here.
--- spec/support/core_features.lua has the options, messages and calls of the core.
---
--- lunet needs Linux 5.10 or later. TCP's settings belong to each host since 4.15.
local core = require "lunet.core"
local release_type = require "lunet.text.release"
local sysctl = require "lunet.network.sysctl"

local features = {}

---@class lunet.feature
---@field [1] string the version of Linux
---@field [2] string the source for that: a manual page, or the kernel's commit
---@field what? string a description, if the name says too little
---@field stable? string the oldest line of stable kernels that got it later
---@field absent? integer|string for a setting: a kernel without it behaves as if it had this value
---@field measure? fun(host: lunet.host): integer for a setting: finds the value in force by trying
---@field unrecorded? boolean for a setting: a record leaves it out, since no outcome depends on it
---@field shown? string for a setting: before this version only root's hosts show it
---@field of_machine? string for a setting of the whole machine: hosts show it since this version
---@field try? string nftables text for a chain: a rule that needs it
---@field build? string the kernel's build option

local CONNTRACK <const> = "nf_conntrack-sysctl.rst; commit 9fb9cbb1082d"

---@type table<string, table<string, lunet.feature>>
features.TABLE = {
  sysctl = {
    ["net.core.default_qdisc"] = { "3.12", "commit 6da7c8fcbcbd" },
    ["net.core.rmem_max"] = { "2.2", "socket(7); commit 19249c0724f2", of_machine = "6.11" },
    ["net.core.somaxconn"] = { "2.4", "listen(2), commit 6b754d7bd007", shown = "6.3", measure = core.queue_limit },
    ["net.core.wmem_max"] = { "2.2", "socket(7); commit 19249c0724f2", of_machine = "6.11" },
    ["net.ipv4.conf"] = { "2.2", "ip-sysctl.rst", unrecorded = true },
    ["net.ipv4.icmp_ratelimit"] = { "2.4", "icmp(7)" },
    ["net.ipv4.icmp_ratemask"] = { "2.4", "icmp(7)" },
    ["net.ipv4.ip_forward"] = { "2.2", "ip(7)", unrecorded = true },
    ["net.ipv4.ip_local_port_range"] = { "2.2", "ip(7)" },
    ["net.ipv4.ip_local_reserved_ports"] = { "2.6.35", "commit e3826f1e946e", unrecorded = true },
    ["net.ipv4.neigh"] = { "2.2", "arp(7), commit 8c8b7aa7fb0c", shown = "5.17", unrecorded = true },
    ["net.ipv4.tcp_abort_on_overflow"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_adv_win_scale"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_allowed_congestion_control"] = { "2.6.20", "commit ce7bc3bf15cb" },
    ["net.ipv4.tcp_autocorking"] = { "3.14", "tcp(7)", absent = 0 },
    ["net.ipv4.tcp_challenge_ack_limit"] = { "3.6", "ip-sysctl.rst" },
    ["net.ipv4.tcp_child_ehash_entries"] = { "6.1", "commit d1e5e6408b30", absent = 0, unrecorded = true },
    ["net.ipv4.tcp_congestion_control"] = { "2.6.13", "commit 317a76f9a44b" },
    ["net.ipv4.tcp_early_retrans"] = { "3.5", "ip-sysctl.rst" },
    ["net.ipv4.tcp_ecn"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_ehash_entries"] = { "6.1", "commit d1e5e6408b30", unrecorded = true },
    ["net.ipv4.tcp_fastopen"] = { "3.6", "tcp(7)" },
    ["net.ipv4.tcp_fastopen_blackhole_timeout_sec"] = { "4.12", "commit cf1ef3f0719b", absent = 0 },
    ["net.ipv4.tcp_fastopen_key"] = { "3.7", "commit 104671636897", unrecorded = true },
    ["net.ipv4.tcp_fin_timeout"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_frto"] = { "2.4.21", "tcp(7)" },
    ["net.ipv4.tcp_invalid_ratelimit"] = { "4.0", "commit 032ee4236954" },
    ["net.ipv4.tcp_keepalive_intvl"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_keepalive_probes"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_keepalive_time"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_limit_output_bytes"] = { "3.6", "commit 46d3ceabd8d9" },
    ["net.ipv4.tcp_max_orphans"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_max_syn_backlog"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_max_tw_buckets"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_mem"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_migrate_req"] = { "5.14", "commit f9ac779f881c", stable = "5.10", absent = 0 },
    ["net.ipv4.tcp_moderate_rcvbuf"] = { "2.6.7", "tcp(7)" },
    ["net.ipv4.tcp_no_metrics_save"] = { "2.6.6", "tcp(7)" },
    ["net.ipv4.tcp_notsent_lowat"] = { "3.12", "commit c9bee3b7fdec" },
    ["net.ipv4.tcp_orphan_retries"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_recovery"] = { "4.4", "ip-sysctl.rst" },
    ["net.ipv4.tcp_retries1"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_retries2"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_rfc1337"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_rmem"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_rto_max_ms"] = { "6.15", "commit 1280c26228bd", absent = 120000 },
    ["net.ipv4.tcp_rto_min_us"] = { "6.11", "commit f086edef71be", absent = 200000 },
    ["net.ipv4.tcp_sack"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_shrink_window"] = { "6.5", "commit b650d953cd39", stable = "6.1", absent = 0 },
    ["net.ipv4.tcp_slow_start_after_idle"] = { "2.6.18", "tcp(7)" },
    ["net.ipv4.tcp_syn_linear_timeouts"] = { "6.5", "commit ccce324dabfe", absent = 0 },
    ["net.ipv4.tcp_syn_retries"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_synack_retries"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_syncookies"] = { "2.2", "tcp(7)", absent = 0, build = "CONFIG_SYN_COOKIES" },
    ["net.ipv4.tcp_timestamps"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_tw_reuse"] = { "2.4.19", "tcp(7)" },
    ["net.ipv4.tcp_tw_reuse_delay"] = { "6.14", "commit ca6a6f93867a", absent = 1000 },
    ["net.ipv4.tcp_window_scaling"] = { "2.2", "tcp(7)" },
    ["net.ipv4.tcp_wmem"] = { "2.4", "tcp(7)" },
    ["net.netfilter.nf_conntrack_tcp_be_liberal"] = { "2.6.15", CONNTRACK, build = "CONFIG_NF_CONNTRACK" },
    ["net.netfilter.nf_conntrack_tcp_loose"] = { "2.6.15", CONNTRACK, build = "CONFIG_NF_CONNTRACK" },
    ["net.netfilter.nf_conntrack_tcp_timeout_close"] = { "2.6.15", CONNTRACK, build = "CONFIG_NF_CONNTRACK" },
    ["net.netfilter.nf_conntrack_tcp_timeout_established"] = { "2.6.15", CONNTRACK, build = "CONFIG_NF_CONNTRACK" },
    ["net.mptcp.enabled"] = { "5.7", "mptcp-sysctl.rst", build = "CONFIG_MPTCP", unrecorded = true },
    ["net.ipv6.conf"] = { "2.6.26", "ip-sysctl.rst", build = "CONFIG_IPV6", unrecorded = true },
    ["net.ipv6.icmp.ratelimit"] = { "2.6", "ip-sysctl.rst", build = "CONFIG_IPV6", unrecorded = true },
  },

  counter = {
    ActiveOpens = { "2.0", "RFC 1213" },
    AttemptFails = { "2.0", "RFC 1213" },
    CurrEstab = { "2.0", "RFC 1213" },
    EmbryonicRsts = { "2.4", "net/ipv4/proc.c" },
    InCsumErrors = { "3.10", "net/ipv4/proc.c" },
    InSegs = { "2.0", "RFC 1213" },
    ListenDrops = { "2.4", "net/ipv4/proc.c" },
    ListenOverflows = { "2.4", "net/ipv4/proc.c" },
    LockDroppedIcmps = { "2.4", "net/ipv4/proc.c" },
    MPTcpExtMPCapableFallbackSYNACK = { "5.7", "commit fc518953bc9c" },
    MPTcpExtMPCapableSYNRX = { "5.7", "commit fc518953bc9c" },
    MaxConn = { "2.0", "RFC 1213" },
    OutOfWindowIcmps = { "2.4", "net/ipv4/proc.c" },
    OutRsts = { "2.0", "RFC 1213" },
    OutSegs = { "2.0", "RFC 1213" },
    PassiveOpens = { "2.0", "RFC 1213" },
    RetransSegs = { "2.0", "RFC 1213" },
    RtoMin = { "2.0", "RFC 1213" },
    SyncookiesSent = { "2.4", "net/ipv4/proc.c" },
    TCPAbortOnData = { "2.4", "net/ipv4/proc.c" },
    TCPAbortOnTimeout = { "2.4", "net/ipv4/proc.c" },
    TCPDeferAcceptDrop = { "2.6.34", "commit d1b99ba41d6c" },
    TCPDeliveredCE = { "4.18", "net/ipv4/proc.c" },
    TCPFastOpenCookieReqd = { "3.7", "commit 104671636897" },
    TCPFastOpenListenOverflow = { "3.7", "commit 104671636897" },
    TCPFastOpenPassive = { "3.7", "commit 104671636897" },
    TCPFastOpenPassiveFail = { "3.7", "commit 104671636897" },
    TCPKeepAlive = { "4.2", "commit e520af48c7e5" },
    TCPMigrateReqSuccess = { "5.14", "commit 55d444b310c6" },
    TCPOFOQueue = { "3.4", "net/ipv4/proc.c" },
    TCPOrigDataSent = { "3.15", "commit f19c29e3e391" },
    TCPRcvCoalesce = { "3.5", "commit 1402d366019f" },
    TCPReqQFullDrop = { "3.2", "commit 946cedccbd73" },
    TCPSYNChallenge = { "3.6", "commit 0c24604b68fc" },
    TCPSynRetrans = { "3.15", "commit f19c29e3e391" },
    TCPTimeouts = { "2.4", "net/ipv4/proc.c" },
    TCPWinProbe = { "4.2", "commit e520af48c7e5" },
    TSEcrRejected = { "6.15", "commit 3ba075278c11" },
  },

  -- nftables: its tables for IPv4 and IPv6 at once, chains, and the words of rules.
  expression = {
    accept = { "3.13", "nft(8)", try = "accept" },
    chain = { "3.13", "nft(8)", try = "return" },
    counter = { "3.13", "nft(8)", try = "counter" },
    ct = { "3.13", "nft(8)", try = "ct state invalid", build = "CONFIG_NFT_CT" },
    dnat = { "5.2", "commit d164385ec572", what = "nftables' dnat in the inet family", build = "CONFIG_NFT_NAT" },
    drop = { "3.13", "nft(8)", try = "drop" },
    filter = { "3.14", "nft(8)", try = "type filter hook input priority raw" },
    inet = { "3.14", "nft(8)", what = "nftables' inet family", try = "", build = "CONFIG_NF_TABLES_INET" },
    ["goto"] = { "3.13", "nft(8)" },
    hook = { "3.14", "nft(8)", try = "type filter hook output priority raw" },
    ip = { "3.13", "nft(8)", try = "ip daddr 127.0.0.1" },
    ip6 = { "3.13", "nft(8)", try = "ip6 daddr ::1" },
    jump = { "3.13", "nft(8)" },
    masquerade = { "5.2", "nft(8)", what = "nftables' masquerade in the inet family",
      build = "CONFIG_NFT_MASQ" },
    meta = { "3.13", "nft(8)", try = "meta mark 1" },
    nat = { "5.2", "commit d164385ec572", what = "nftables' nat chains in the inet family",
      try = "type nat hook prerouting priority dstnat", build = "CONFIG_NFT_NAT" },
    notrack = { "4.9", "nft(8)", try = "notrack", build = "CONFIG_NFT_CT" },
    numgen = { "4.9", "commit 91dbc6be0a62", try = "numgen inc mod 2 < 1", build = "CONFIG_NFT_NUMGEN" },
    reject = { "3.14", "nft(8)", try = "meta l4proto tcp reject with tcp reset", build = "CONFIG_NFT_REJECT" },
    ["return"] = { "3.13", "nft(8)", try = "return" },
    route = { "5.2", "commit c1deb065cf3b", try = "type route hook output priority raw" },
    set = { "3.14", "nft(8)", try = "meta mark set 1" },
    synproxy = { "5.3", "nft(8)", build = "CONFIG_NFT_SYNPROXY" },
    tcp = { "3.13", "nft(8)", try = "tcp flags & syn == syn" },
  },
}

-- -- this kernel -----------------------------------------------------------------------------

--- The kernel's release: "6.1.0-54-amd64".
---@return string
function features.release()
  return sysctl.here "kernel.osrelease" or "?"
end

--- Whether a release is at least a version.
---@param release string
---@param version string
---@return boolean
function features.is_at_least(release, version) return not release_type.is_older(release, version) end

--- Finds the row of a feature. A setting of an interface, such as net.ipv4.conf.eth0.forwarding, has the row of its
--- group.
---@param kind "sysctl"|"counter"|"expression"
---@param name string
---@return lunet.feature?
function features.find(kind, name)
  local rows = features.TABLE[kind] or {}
  return rows[name] or kind == "sysctl" and rows[name:match "^net%.%w+%.%a+"] or nil
end

--- Explains in a line why this kernel lacks a feature.
---@param kind string
---@param name string
---@return string
function features.explain(kind, name)
  local row, release = features.find(kind, name), features.release()
  if not row then return ("Linux %s has no %s"):format(release, name) end
  name = row.what or name
  if not features.is_at_least(release, row[1]) then
    return ("%s came with Linux %s (%s), and this is %s"):format(name, row[1], row[2], release)
  end
  if row.shown and not features.is_at_least(release, row.shown) then
    return ("Linux %s shows %s only to the hosts of root, later ones (%s) to all"):format(release, name, row.shown)
  end
  if row.of_machine and not features.is_at_least(release, row.of_machine) then
    return ("%s is the machine's: hosts show it since Linux %s, and this is %s"):format(name, row.of_machine, release)
  end
  local build = row.build and (", which it has with %s"):format(row.build) or ""
  return ("this Linux %s is without %s%s"):format(release, name, build)
end

--- Whether this kernel has a setting, even if no host here shows it. Makes no host, so that an experiment can choose
--- the default of a knob by it.
---@param name string "net.ipv4.tcp_syn_linear_timeouts"
---@return boolean
function features.has_sysctl(name)
  if core.read_file(nil, "/proc/sys/" .. name:gsub("%.", "/")) then return true end
  local row = features.find("sysctl", name)
  return row ~= nil and (row.shown or row.of_machine) ~= nil and features.is_at_least(features.release(), row[1])
end

return features
