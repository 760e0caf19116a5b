--- vsftpd as the user who starts it. A client that is one too many gets a process of its own, which tells it.
local CONFIGURATION = [[
listen=YES
listen_port=PORT
background=NO
run_as_launching_user=YES
local_enable=YES
secure_chroot_dir=PLACE
seccomp_sandbox=NO
LIMIT
idle_session_timeout=600
xferlog_enable=YES
log_ftp_protocol=YES
vsftpd_log_file=PLACE/log
]]

return {
  packages = { "vsftpd" },
  program = "vsftpd",
  version = function(path) return { "sh", "-c", "exec " .. path .. " -v 0<&1" } end, -- told on its standard input
  limit = function(n) return "max_clients=" .. n end,
  -- It reads only its user's own files.
  arguments = function(running)
    local path = running.place.path .. "/vsftpd.conf"
    running:run { "install", "-m", "644", running:write("configuration", CONFIGURATION), path }
    return { path }
  end,
  holds = "",
  held = "^220 ",
  first = "",
  greets = 1,
  workers = "read",
  request = function(word) return ("USER %s\r\n"):format(word) end,
  answer = "\n331 ",
  refusal = "421 There are too many connected users",
  evidence = function(running)
    local words = {}
    for word in running:log():gmatch '"USER (%S+)"' do words[#words + 1] = word end
    return table.concat(words, "\n")
  end,
  logged = { "Connection (refused): too many sessions" },
}
