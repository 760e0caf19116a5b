local peer = require "spec.support.peer"

peer(_ENV, "gunicorn", { logged = "200", later = "200" })
