local peer = require "spec.support.peer"

peer(_ENV, "mariadb", { told = "max_user_connections" })
