local peer = require "spec.support.peer"

peer(_ENV, "python_http", { logged = "200", later = "200" })
