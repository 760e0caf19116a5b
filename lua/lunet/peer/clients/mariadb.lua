--- mariadb, the client of MariaDB. Its --connect-timeout covers the server's greeting, too.
return {
  packages = { "mariadb-client" },
  program = "mariadb",
  version = { "--version" },
  arguments = { "--no-defaults", "--host=ADDRESS", "--port=PORT", "--user=lunet", "OPTION", "--execute=select 1" },
  waits = {
    default = {},
    answer = { option = "--connect-timeout=3", connect = 3, answer = 3, status = 1,
      words = "reading initial communication packet" },
  },
}
