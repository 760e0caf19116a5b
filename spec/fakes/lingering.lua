--- A client that says that it gives up, and ends some time later.
return {
  packages = { "lunet" },
  program = os.getenv "LUNET",
  version = { "-e", "print(_VERSION)" },
  files = { ["client.lua"] = 'io.stdout:setvbuf "no" print "gave up" require("lunet").sleep(2.5) os.exit(5)' },
  arguments = { "client.lua" },
  gave_up = "gave up",
  waits = { default = { connect = 0, answer = 0, status = 5 } },
}
