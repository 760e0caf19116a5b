local peer = require "spec.support.peer"

peer(_ENV, "apache2", { logged = "200", later = "200" })
