--- OpenSSH's local forwarding. ssh listens, and its sshd, on the same host, connects to the server.
local nobody = require "lunet.peer.nobody"
local needs = require "lunet.run.needs"
local peer_process = require "lunet.peer.process"

local SSHD_PORT = 7398

local CONFIGURATION = [[
Port 7398
ListenAddress 127.0.0.1
HostKey PLACE/key
AuthorizedKeysFile PLACE/key.pub
PidFile none
StrictModes no
UsePAM yes
]]

-- The user is who runs it: nobody in place of root.
local function begin(running)
  running:run { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", running.place.path .. "/key" }
  local words = nobody.words { needs.path "sshd", "-D", "-e", "-f", running:write("sshd_config", CONFIGURATION) }
  words.stderr, words.label = "stdout", "sshd"
  running.beside[1] = peer_process.start(running.host, words, SSHD_PORT)
end

return {
  packages = { "openssh-client", "openssh-server" },
  program = "ssh",
  needs = { sshd = "openssh-server" },
  version = { "-V" },
  begin = begin,
  command = function(running)
    return { "ssh", "-N", "-F", "none", "-i", running.place.path .. "/key", "-p", SSHD_PORT,
      "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
      "-L", running:fill "0.0.0.0:PORT:SERVER:BEHIND", "127.0.0.1" }
  end,
  listens = true,
  delivers = { close = true, reset = true },
  logged = { "open failed: (connect failed: [%a ]+)" },
}
