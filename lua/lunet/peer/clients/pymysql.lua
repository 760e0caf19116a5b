--- Python's PyMySQL.
return require("lunet.peer.python").client {
  library = "pymysql",
  package = "python3-pymysql",
  script = 'pymysql.connect(host=address, port=port, user="lunet", **options)',
  waits = {
    default = { connect = 10 },
    connect = { option = "connect_timeout=3", connect = 3 },
    answer = { option = "connect_timeout=3, read_timeout=3", connect = 3, answer = 3, status = 1,
      words = "OperationalError" },
  },
}
