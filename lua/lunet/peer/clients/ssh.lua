--- OpenSSH's client. Its ConnectTimeout covers the server's banner, too.
return {
  packages = { "openssh-client" },
  program = "ssh",
  version = { "-V" },
  arguments = { "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
    "UserKnownHostsFile=/dev/null", "OPTION", "-p", "PORT", "lunet@ADDRESS", "true" },
  waits = {
    default = {},
    answer = { option = "-o ConnectTimeout=3", connect = 3, answer = 3, status = 255, words = "timed out" },
  },
}
