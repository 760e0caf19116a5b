--- msmtp, a client for SMTP.
return {
  packages = { "msmtp" },
  program = "msmtp",
  version = { "--version" },
  arguments = { "--host=ADDRESS", "--port=PORT", "--serverinfo", "OPTION" },
  waits = {
    default = {},
    answer = { option = "--timeout=3", connect = 3, answer = 3 },
  },
}
