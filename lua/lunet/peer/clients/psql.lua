--- psql. libpq's connect_timeout covers the login, too. libpq counts whole seconds, and may give up one too early.
return {
  packages = { "postgresql-client" },
  program = "psql",
  version = { "--version" },
  arguments = { "host=ADDRESS port=PORT user=lunet dbname=lunet OPTION", "-c", "select 1" },
  waits = {
    default = {},
    answer = { option = "connect_timeout=3", connect = { 2, 3 }, answer = { 2, 3 },
      status = 2, words = "timeout expired" },
  },
}
