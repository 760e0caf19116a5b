local peer = require "spec.support.peer"

peer(_ENV, "go_http", { logged = "context <nil>", later = "context <nil>" })
