--- OpenSSH's server, whose limit is for clients that have not logged in yet. A client first sends its name. The server
--- logs that name at level DEBUG1, which shows that it was read.
local CONFIGURATION = [[
Port PORT
ListenAddress 0.0.0.0
HostKey PLACE/key
PidFile none
LIMIT
LoginGraceTime 600
LogLevel DEBUG1
StrictModes no
UsePAM no
]]

return {
  packages = { "openssh-server" },
  program = "sshd",
  version = { "-V" },
  limit = function(n) return "MaxStartups " .. n end,
  arguments = function(running)
    running:run { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", running.place.path .. "/key" }
    return { "-D", "-e", "-f", running:write("sshd_config", CONFIGURATION) }
  end,
  holds = "",
  held = "^SSH%-2",
  greets = 1,
  workers = "read",
  request = function(word) return ("SSH-2.0-%s\r\n"):format(word) end,
  answer = "^SSH%-2.0.-\n.",
  refusal = "Exceeded MaxStartups",
  evidence = function(running)
    local words = {}
    for word in running:log():gmatch "remote software version (%S+)" do words[#words + 1] = word end
    return table.concat(words, "\n")
  end,
  logged = { "(drop connection #%d+)", "remote software version (WORD)\r?\n" },
}
