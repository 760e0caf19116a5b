--- mosquitto_pub. Its keepalive interval, 60 s by default, is the only bound. Its clock has whole seconds, so that it
--- can give up almost a second earlier.
return {
  packages = { "mosquitto-clients" },
  program = "mosquitto_pub",
  version = { "--version" },
  arguments = { "-h", "ADDRESS", "-p", "PORT", "-t", "lunet", "-m", "word", "OPTION" },
  waits = {
    default = { answer = 59, status = 19, words = "Error: Unknown error." },
    answer = { option = "-k 5", answer = 4, status = 19, words = "Error: Unknown error." },
  },
}
