--- The features of the kernel that lunet, its experiments and its specs use: the version that brought each, and the
--- source for that. spec/network/features_spec.lua finds a use that is not here.
---
--- lunet needs Linux 5.10 or later. TCP's settings belong to each host since 4.15.
local core = require "lunet.core"
local sysctl = require "lunet.network.sysctl"

local features = {}

---@class lunet.feature
---@field [1] string the version of Linux
---@field [2] string the source for that: a manual page, or the kernel's commit
---@field what? string a description, if the name says too little
---@field stable? string the oldest line of stable kernels that got it later
---@field absent? integer|string for a setting: a kernel without it behaves as if it had this value
---@field measure? fun(host: lunet.host): integer for a setting: finds the value in force by trying
---@field shown? string for a setting: before this version only root's hosts show it
---@field of_machine? string for a setting of the whole machine: hosts show it since this version
---@field try? string nftables text for a chain: a rule that needs it
---@field build? string the kernel's build option

---@type table<string, table<string, lunet.feature>>
features.TABLE = {
  sysctl = {
    ["net.core.default_qdisc"] = { "3.12", "commit 6da7c8fcbcbd" },
    ["net.core.rmem_max"] = { "2.2", "socket(7); commit 19249c0724f2", of_machine = "6.11" },
    ["net.core.somaxconn"] = { "2.4", "listen(2), commit 6b754d7bd007", shown = "6.3", measure = core.queue_limit },
    ["net.core.wmem_max"] = { "2.2", "socket(7); commit 19249c0724f2", of_machine = "6.11" },
    ["net.ipv4.conf"] = { "2.2", "ip-sysctl.rst" },
    ["net.ipv4.icmp_ratelimit"] = { "2.4", "icmp(7)" },
    ["net.ipv4.ip_forward"] = { "2.2", "ip(7)" },
    ["net.ipv4.ip_local_port_range"] = { "2.2", "ip(7)" },
    ["net.ipv4.neigh"] = { "2.2", "arp(7), commit 8c8b7aa7fb0c", shown = "5.17" },
    ["net.ipv4.tcp_abort_on_overflow"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_adv_win_scale"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_allowed_congestion_control"] = { "2.6.20", "commit ce7bc3bf15cb" },
    ["net.ipv4.tcp_autocorking"] = { "3.14", "tcp(7)", absent = 0 },
    ["net.ipv4.tcp_challenge_ack_limit"] = { "3.6", "ip-sysctl.rst" },
    ["net.ipv4.tcp_child_ehash_entries"] = { "6.1", "commit d1e5e6408b30", absent = 0 },
    ["net.ipv4.tcp_congestion_control"] = { "2.6.13", "commit 317a76f9a44b" },
    ["net.ipv4.tcp_early_retrans"] = { "3.5", "ip-sysctl.rst" },
    ["net.ipv4.tcp_ecn"] = { "2.4", "tcp(7)" },
    ["net.ipv4.tcp_ehash_entries"] = { "6.1", "commit d1e5e6408b30" },
    ["net.ipv4.tcp_fastopen"] = { "3.6", "tcp(7)" },
    ["net.ipv4.tcp_fastopen_blackhole_timeout_sec"] = { "4.12", "commit cf1ef3f0719b", absent = 0 },
    ["net.ipv4.tcp_fastopen_key"] = { "3.7", "commit 104671636897" },
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
    ["net.ipv6.conf"] = { "2.6.26", "ip-sysctl.rst", build = "CONFIG_IPV6" },
    ["net.ipv6.icmp.ratelimit"] = { "2.6", "ip-sysctl.rst", build = "CONFIG_IPV6" },
  },

  option = {
    IPV6_V6ONLY = { "2.4.21", "ipv6(7)" },
    PACKET_ADD_MEMBERSHIP = { "2.2", "packet(7)" },
    PACKET_IGNORE_OUTGOING = { "4.20", "packet(7)" },
    PACKET_MR_PROMISC = { "2.2", "packet(7)" },
    PACKET_OUTGOING = { "2.2", "packet(7)" },
    PACKET_RX_RING = { "2.4", "packet(7)" },
    PACKET_STATISTICS = { "2.2", "packet(7)" },
    PACKET_VERSION = { "2.6.27", "packet(7)" },
    PACKET_VNET_HDR = { "2.6.33", "commit bfd5f4a3d605" },
    SO_ATTACH_FILTER = { "2.2", "socket(7)" },
    SO_ERROR = { "2.0", "socket(7)" },
    SO_KEEPALIVE = { "2.0", "socket(7)" },
    SO_LINGER = { "2.0", "socket(7)" },
    SO_MARK = { "2.6.25", "socket(7)" },
    SO_RCVBUF = { "2.0", "socket(7)" },
    SO_RCVBUFFORCE = { "2.6.14", "socket(7)" },
    SO_RCVTIMEO = { "2.4", "socket(7)" },
    SO_SNDTIMEO = { "2.4", "socket(7)" },
    SO_REUSEADDR = { "2.0", "socket(7)" },
    SO_REUSEPORT = { "3.9", "socket(7)" },
    SO_SNDBUF = { "2.0", "socket(7)" },
    SO_TIMESTAMPNS = { "2.6.22", "commit 92f37fd2ee80" },
    TCP_CONGESTION = { "2.6.13", "tcp(7)" },
    TCP_DEFER_ACCEPT = { "2.4", "tcp(7)" },
    TCP_FASTOPEN = { "3.7", "tcp(7)" },
    TCP_FASTOPEN_CONNECT = { "4.11", "tcp(7)" },
    TCP_INFO = { "2.4", "tcp(7)" },
    TCP_KEEPCNT = { "2.4", "tcp(7)" },
    TCP_KEEPIDLE = { "2.4", "tcp(7)" },
    TCP_KEEPINTVL = { "2.4", "tcp(7)" },
    TCP_NODELAY = { "2.0", "tcp(7)" },
    TCP_SYNCNT = { "2.4", "tcp(7)" },
    TCP_USER_TIMEOUT = { "2.6.37", "tcp(7)" },
  },

  counter = {
    ActiveOpens = { "2.0", "RFC 1213" },
    AttemptFails = { "2.0", "RFC 1213" },
    CurrEstab = { "2.0", "RFC 1213" },
    EmbryonicRsts = { "2.4", "net/ipv4/proc.c" },
    InSegs = { "2.0", "RFC 1213" },
    ListenDrops = { "2.4", "net/ipv4/proc.c" },
    ListenOverflows = { "2.4", "net/ipv4/proc.c" },
    LockDroppedIcmps = { "2.4", "net/ipv4/proc.c" },
    MaxConn = { "2.0", "RFC 1213" },
    OutRsts = { "2.0", "RFC 1213" },
    OutSegs = { "2.0", "RFC 1213" },
    PassiveOpens = { "2.0", "RFC 1213" },
    RetransSegs = { "2.0", "RFC 1213" },
    RtoMin = { "2.0", "RFC 1213" },
    SyncookiesSent = { "2.4", "net/ipv4/proc.c" },
    TCPAbortOnData = { "2.4", "net/ipv4/proc.c" },
    TCPAbortOnTimeout = { "2.4", "net/ipv4/proc.c" },
    TCPDeferAcceptDrop = { "2.6.34", "commit d1b99ba41d6c" },
    TCPFastOpenCookieReqd = { "3.7", "commit 104671636897" },
    TCPFastOpenListenOverflow = { "3.7", "commit 104671636897" },
    TCPFastOpenPassive = { "3.7", "commit 104671636897" },
    TCPFastOpenPassiveFail = { "3.7", "commit 104671636897" },
    TCPKeepAlive = { "4.2", "commit e520af48c7e5" },
    TCPMigrateReqSuccess = { "5.14", "commit 55d444b310c6" },
    TCPOrigDataSent = { "3.15", "commit f19c29e3e391" },
    TCPRcvCoalesce = { "3.5", "commit 1402d366019f" },
    TCPReqQFullDrop = { "3.2", "commit 946cedccbd73" },
    TCPSYNChallenge = { "3.6", "commit 0c24604b68fc" },
    TCPSynRetrans = { "3.15", "commit f19c29e3e391" },
    TCPTimeouts = { "2.4", "net/ipv4/proc.c" },
    TCPWinProbe = { "4.2", "commit e520af48c7e5" },
  },

  -- Parts of messages to the kernel, and of its answers.
  netlink = {
    IFA_ADDRESS = { "2.2", "rtnetlink(7)" },
    IFA_F_NODAD = { "2.6.19", "rtnetlink(7)" },
    IFA_LOCAL = { "2.2", "rtnetlink(7)" },
    IFLA_GROUP = { "2.6.39", "commit e7ed828f10bd" },
    IFLA_IFNAME = { "2.2", "rtnetlink(7)" },
    IFLA_INFO_DATA = { "2.6.23", "commit 38f7b870d4a6" },
    IFLA_INFO_KIND = { "2.6.23", "commit 38f7b870d4a6" },
    IFLA_LINKINFO = { "2.6.23", "commit 38f7b870d4a6" },
    IFLA_MASTER = { "2.4", "rtnetlink(7)" },
    IFLA_NET_NS_FD = { "3.0", "commit f0630529916c" },
    IFLA_OPERSTATE = { "2.6.17", "commit b00055aacdb1" },
    INET_DIAG_REQ_PROTOCOL = { "5.9", "commit 3f935c75eb52" },
    INET_DIAG_ULP_INFO = { "5.4", "commit 61723b393292" },
    INET_ULP_INFO_MPTCP = { "5.7", "commit 5147dfb50832", build = "CONFIG_MPTCP" },
    INET_ULP_INFO_NAME = { "5.4", "commit 61723b393292" },
    INET_DIAG_MARK = { "4.9", "commit a52e95abf772" },
    INET_DIAG_INFO = { "2.6.14", "sock_diag(7)" },
    NETLINK_ROUTE = { "2.2", "netlink(7)" },
    NETLINK_SOCK_DIAG = { "3.3", "sock_diag(7)" },
    NLM_F_ACK = { "2.2", "netlink(7)" },
    NLM_F_CREATE = { "2.2", "netlink(7)" },
    NLM_F_DUMP = { "2.2", "netlink(7)" },
    NLM_F_EXCL = { "2.2", "netlink(7)" },
    NLM_F_REQUEST = { "2.2", "netlink(7)" },
    RTA_DST = { "2.2", "rtnetlink(7)" },
    RTM_DELLINK = { "2.2", "rtnetlink(7)" },
    RTM_GETLINK = { "2.2", "rtnetlink(7)" },
    RTM_GETROUTE = { "2.2", "rtnetlink(7)" },
    RTM_NEWADDR = { "2.2", "rtnetlink(7)" },
    RTM_NEWLINK = { "2.2", "rtnetlink(7)" },
    RTM_NEWROUTE = { "2.2", "rtnetlink(7)" },
    UDIAG_SHOW_MEMINFO = { "3.3", "sock_diag(7)" },
    UDIAG_SHOW_NAME = { "3.3", "sock_diag(7)" },
    UDIAG_SHOW_RQLEN = { "3.3", "sock_diag(7)" },
    UNIX_DIAG_MEMINFO = { "3.3", "sock_diag(7)", build = "CONFIG_UNIX_DIAG" },
    UNIX_DIAG_NAME = { "3.3", "sock_diag(7)", build = "CONFIG_UNIX_DIAG" },
    UNIX_DIAG_RQLEN = { "3.3", "sock_diag(7)", build = "CONFIG_UNIX_DIAG" },
    VETH_INFO_PEER = { "2.6.24", "veth(4)", build = "CONFIG_VETH" },
  },

  -- nftables: its tables for IPv4 and IPv6 at once, chains, and the words of rules.
  expression = {
    accept = { "3.13", "nft(8)", try = "accept" },
    chain = { "3.13", "nft(8)", try = "return" },
    counter = { "3.13", "nft(8)", try = "counter" },
    drop = { "3.13", "nft(8)", try = "drop" },
    filter = { "3.14", "nft(8)", try = "type filter hook input priority raw" },
    inet = { "3.14", "nft(8)", what = "nftables' inet family", try = "", build = "CONFIG_NF_TABLES_INET" },
    ["goto"] = { "3.13", "nft(8)" },
    hook = { "3.14", "nft(8)", try = "type filter hook output priority raw" },
    ip = { "3.13", "nft(8)", try = "ip daddr 127.0.0.1" },
    ip6 = { "3.13", "nft(8)", try = "ip6 daddr ::1" },
    jump = { "3.13", "nft(8)" },
    meta = { "3.13", "nft(8)", try = "meta mark 1" },
    numgen = { "4.9", "commit 91dbc6be0a62", try = "numgen inc mod 2 < 1", build = "CONFIG_NFT_NUMGEN" },
    reject = { "3.14", "nft(8)", try = "meta l4proto tcp reject with tcp reset", build = "CONFIG_NFT_REJECT" },
    ["return"] = { "3.13", "nft(8)", try = "return" },
    route = { "5.2", "commit c1deb065cf3b", try = "type route hook output priority raw" },
    set = { "4.5", "commit 7ec3f7b47b8d", try = "ip daddr set 127.0.0.1" },
    tcp = { "3.13", "nft(8)", try = "tcp flags & syn == syn" },
  },

  -- System calls and their arguments.
  call = {
    CLONE_NEWNET = { "2.6.24", "unshare(2)", build = "CONFIG_NET_NS" },
    CLONE_NEWNS = { "2.4.19", "unshare(2)" },
    CLONE_NEWPID = { "3.8", "unshare(2)", build = "CONFIG_PID_NS" },
    CLONE_NEWUSER = { "3.8", "user_namespaces(7)", build = "CONFIG_USER_NS" },
    PR_SET_NAME = { "2.6.9", "prctl(2)" },
    PR_SET_PDEATHSIG = { "2.1.57", "prctl(2)" },
    SCM_RIGHTS = { "2.2", "unix(7)" },
    SCM_TIMESTAMPNS = { "2.6.22", "commit 92f37fd2ee80" },
    SIOCGIFNAME = { "2.2", "netdevice(7)" },
    SIOCGIFINDEX = { "2.2", "netdevice(7)" },
    SIOCGSKNS = { "4.10", "commit c62cce2caee5" },
    SIOCINQ = { "2.4", "tcp(7)" },
    SIOCOUTQ = { "2.4", "tcp(7)" },
    SIOCOUTQNSD = { "2.6.39", "commit 2f4e1b397097" },
    SIOCSIFFLAGS = { "2.0", "netdevice(7)" },
    SYS_capget = { "2.2", "capget(2)" },
    SYS_futex = { "2.6", "futex(2)" },
    SYS_pidfd_open = { "5.3", "pidfd_open(2)" },
    SYS_pidfd_send_signal = { "5.1", "pidfd_send_signal(2)" },
    SYS_rt_sigaction = { "2.2", "sigaction(2)" },
    accept4 = { "2.6.28", "accept(2)" },
    close_range = { "5.9", "close_range(2)" },
    epoll_create1 = { "2.6.27", "epoll_create(2)" },
    setns = { "3.0", "setns(2)" },
    timerfd_create = { "2.6.25", "timerfd_create(2)" },
    unshare = { "2.6.16", "unshare(2)" },
  },
}

-- -- this kernel -----------------------------------------------------------------------------

--- The kernel's release: "6.1.0-54-amd64".
---@return string
function features.release()
  return sysctl.here "kernel.osrelease" or "?"
end

local function parts_of(version)
  local parts = {}
  for number in version:match "^[%d.]*":gmatch "%d+" do parts[#parts + 1] = math.tointeger(number) end
  return parts
end

--- Whether a release is at least a version.
---@param release string
---@param version string
---@return boolean
function features.is_at_least(release, version)
  local has, wants = parts_of(release), parts_of(version)
  for i = 1, #wants do
    if (has[i] or 0) ~= wants[i] then return (has[i] or 0) > wants[i] end
  end
  return true
end

--- Finds the row of a feature. A setting of an interface, such as net.ipv4.conf.eth0.forwarding, has the row of its
--- group.
---@param kind "sysctl"|"option"|"counter"|"netlink"|"expression"|"call"
---@param name string
---@return lunet.feature?
function features.find(kind, name)
  local rows = features.TABLE[kind]
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
