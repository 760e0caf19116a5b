--- Python's psycopg2, by libpq, which counts whole seconds (psql.lua).
return require("lunet.peer.python").client {
  library = "psycopg2",
  package = "python3-psycopg2",
  script = 'psycopg2.connect(host=address, port=port, user="lunet", **options)',
  waits = {
    default = {},
    answer = { option = "connect_timeout=3", connect = { 2, 3 }, answer = { 2, 3 },
      status = 1, words = "timeout expired" },
  },
}
