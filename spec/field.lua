--- Servers at a limit of one client, seen by hand on 2026-11-28 on Debian 12 and Linux 6.18. Each server has a row with
--- the fields of experiments/servers/server_limits.lua.
--- spec/experiments/servers/server_limits_spec.lua compares the rows with those of a run.
local WAITS = "nothing"

return {
  { server = "memcached", version = "1.6.18", accepted = true, carried_out = false, log = "nothing", backlog = "1024",
    sees = "Too many open connections" },
  { server = "memcached_slow", version = "1.6.18", accepted = false, sees = WAITS, carried_out = true,
    log = "Too many open files", backlog = "1024, 0" },
  -- With RLIMIT_NOFILE 6. It wrote 19 MB of that line to its log in one second.
  { server = "beanstalkd", version = "1.12", accepted = false, sees = WAITS, carried_out = true,
    log = "Too many open files", backlog = "1024" },
  { server = "redis", version = "7.0.15", accepted = true, carried_out = false, log = "nothing", backlog = "511",
    sees = "max number of clients" },
  { server = "lighttpd", version = "1.4.69", accepted = false, sees = WAITS, carried_out = true, log = "200",
    backlog = "1024" },
  { server = "dnsmasq", version = "2.90", accepted = false, sees = WAITS, carried_out = true, log = "query",
    backlog = "32" },
  -- Apache looks for the limit once a second.
  { server = "apache2", version = "2.4", accepted = false, sees = WAITS, carried_out = true,
    log = { "200, AH00161", "200" }, backlog = "511" },
  { server = "haproxy", version = "2.6.12", accepted = false, sees = WAITS, carried_out = true, log = "200 ----",
    backlog = "1" },
  { server = "haproxy_server", version = "2.6.12", accepted = true, sees = WAITS, carried_out = true, log = "200 ----",
    backlog = "4096" },
  -- CC, where A leaves before HAProxy has seen B's FIN.
  { server = "haproxy_abort", version = "2.6.12", accepted = true, sees = WAITS, carried_out = false,
    log = { "-1 CQ--", "-1 CC--" }, backlog = "4096" },
  { server = "uwsgi", version = "2.0.21", accepted = false, sees = WAITS, carried_out = true, log = "200",
    backlog = "100" },
  { server = "gunicorn", version = "20.1", accepted = false, sees = WAITS, carried_out = true, log = "nothing",
    backlog = "2048" },
  { server = "php_fpm", version = "8.2", accepted = false, sees = WAITS, carried_out = true, log = "200",
    backlog = "4096" },
  { server = "python_http", version = "3.11", accepted = false, sees = WAITS, carried_out = true, log = "200",
    backlog = "5" },
  { server = "postgresql", version = "15", accepted = true, carried_out = false, log = "too many clients",
    sees = "too many clients already", backlog = "46" },
  { server = "sshd", version = "9.2", accepted = true, carried_out = false, log = "drop connection #1", backlog = "128",
    sees = "Exceeded MaxStartups" },
  { server = "mosquitto", version = "2.0.11", accepted = true, sees = "closed", carried_out = false, log = "denied",
    backlog = "100" },
  -- By RST. The end is a FIN if Node closes the connection before the request is there.
  { server = "node", version = "20", accepted = true, sees = "closed", carried_out = false, log = "nothing",
    backlog = "511" },
}
