local peer = require "spec.support.peer"

peer(_ENV, "uwsgi", { logged = "200", later = "200" })
