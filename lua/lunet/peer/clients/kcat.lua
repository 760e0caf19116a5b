--- kcat, a client of librdkafka.
return {
  packages = { "kcat" },
  program = "kcat",
  version = { "-V" },
  arguments = { "-L", "-b", "ADDRESS:PORT", "OPTION" },
  waits = {
    default = { connect = 5, answer = 5, status = 1 },
    answer = { option = "-m 3", connect = 3, answer = 3, status = 1 },
  },
}
