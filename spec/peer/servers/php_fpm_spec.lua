local peer = require "spec.support.peer"

peer(_ENV, "php_fpm", { logged = "200", later = "200" })
