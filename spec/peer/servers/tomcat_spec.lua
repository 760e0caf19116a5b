local peer = require "spec.support.peer"

peer(_ENV, "tomcat", { logged = "200", later = "200" })
